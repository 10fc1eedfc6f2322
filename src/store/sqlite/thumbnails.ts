import { THUMBNAILS_KEPT } from "../thumbnails.ts";
import { blob, integer } from "./columns.ts";
import { jobNumber } from "./look.ts";
import type { Session } from "./session.ts";

export function thumbnail(session: Session, job: string): Uint8Array | undefined {
  const row = session.get("thumbnail", { jobNo: jobNumber(session, job) });
  return row === undefined ? undefined : blob(row.png);
}

/** In the place of the one that there was. @param png null: there is none any more */
export function keepThumbnail(session: Session, jobNo: number, png: Uint8Array | null): void {
  session.run("deleteThumbnail", { jobNo });
  if (png === null) return;
  const kept = session.get("keepThumbnail", { jobNo, png });
  session.run("forgetThumbnails", { last: integer(kept?.thumbnailNo) - THUMBNAILS_KEPT });
}
