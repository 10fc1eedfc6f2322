import { THUMBNAILS_KEPT } from "../thumbnails.ts";
import { blob, integer } from "./columns.ts";
import { jobNumber } from "./look.ts";
import type { Session } from "./session.ts";

export async function thumbnail(session: Session, job: string): Promise<Uint8Array | undefined> {
  const row = await session.get("thumbnail", { jobNo: await jobNumber(session, job) });
  return row === undefined ? undefined : blob(row.png);
}

/** In the place of the one that there was. @param png null: there is none any more */
export async function keepThumbnail(session: Session, jobNo: number, png: Uint8Array | null): Promise<void> {
  await session.run("deleteThumbnail", { jobNo });
  if (png === null) return;
  const kept = await session.get("keepThumbnail", { jobNo, png });
  await session.run("forgetThumbnails", { last: integer(kept?.thumbnailNo) - THUMBNAILS_KEPT });
}
