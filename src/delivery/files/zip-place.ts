import type { StudyDelivery } from "../destination.ts";
import { projectFolderOf } from "./layout.ts";

/** Where the zip of a study is on its server. */
export interface ZipPlace {
  readonly folder: string;
  readonly path: string;
  /** The same at every try, so that what an earlier one left is overwritten. */
  readonly arriving: string;
  /** Where the zip waits that is replaced on a server that does not rename onto a file. */
  readonly aside: string;
}

/** @throws as `projectFolderOf` */
export function zipPlaceOf(path: string, study: Pick<StudyDelivery, "project" | "studyInstanceUid">): ZipPlace {
  const folder = projectFolderOf(path, study);
  const { studyInstanceUid: name } = study;
  return {
    folder,
    path: `${folder}/${name}.zip`,
    arriving: `${folder}/.${name}.part`,
    aside: `${folder}/.${name}.old`,
  };
}
