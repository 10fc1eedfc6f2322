import type { StudyRemoval } from "../removal/removal.ts";
import type { FileServer } from "./file-server.ts";
import { isOfStudy, listZip } from "./study-zip.ts";
import { zipPlaceOf } from "./zip-place.ts";

interface ZipsToClear {
  readonly server: FileServer;
  readonly path: string;
}

/** Takes zips of studies away; one with anything in it that was delivered for nobody of ours stays. */
export function zipRemoval({ server, path: root }: ZipsToClear): StudyRemoval {
  return {
    async remains(study, signal) {
      const { path, arriving, aside } = zipPlaceOf(root, study);
      await using session = await server.open(signal);
      const zip = await listZip(session, path);
      const isForeign = zip !== undefined && !isOfStudy(zip, study);
      let ours = Number(zip !== undefined && !isForeign);
      // One after the other: FTP asks no two questions at once.
      for (const name of [arriving, aside]) ours += Number((await session.sizeOf(name)) !== undefined);
      return { ours, others: Number(isForeign) };
    },
    async remove(study, signal) {
      const { path, arriving, aside } = zipPlaceOf(root, study);
      await using session = await server.open(signal);
      const zip = await listZip(session, path);
      if (zip !== undefined && isOfStudy(zip, study)) await session.remove(path);
      for (const name of [arriving, aside]) if ((await session.sizeOf(name)) !== undefined) await session.remove(name);
    },
  };
}
