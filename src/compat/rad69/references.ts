import { NonInstanceParameterError } from "../../network/ihe/errors.ts";
import type { InstanceReference } from "../../network/ihe/request.ts";

/** A study or series with what is known to be in it, as searches answer them. */
export interface SeriesObject {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly instances?: readonly { readonly sopInstanceUid: string }[] | undefined;
}

export interface StudyObject {
  readonly studyInstanceUid: string;
  readonly series?: readonly Omit<SeriesObject, "studyInstanceUid">[] | undefined;
}

/** What can be asked for: instances, or objects that say which instances they hold. */
export type Downloadable = InstanceReference | SeriesObject | StudyObject;

/** The instances of them all. @throws NonInstanceParameterError when one does not say which instances it holds */
export function instanceReferences(objects: Downloadable | Iterable<Downloadable>): readonly InstanceReference[] {
  const list = Symbol.iterator in objects ? [...objects] : [objects];
  return list.flatMap(instancesOf);
}

function instancesOf(object: Downloadable): readonly InstanceReference[] {
  if ("sopInstanceUid" in object) return [object];
  const series = "seriesInstanceUid" in object ? [object] : (object.series ?? []);
  if (series.length === 0) throw new NonInstanceParameterError();
  return series.flatMap(({ seriesInstanceUid, instances = [] }) => {
    if (instances.length === 0) throw new NonInstanceParameterError();
    return instances.map(({ sopInstanceUid }) => ({
      studyInstanceUid: object.studyInstanceUid,
      seriesInstanceUid,
      sopInstanceUid,
    }));
  });
}
