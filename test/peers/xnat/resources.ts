import { type Answer, htmlError, isSet, json, table, type XnatRequest } from "./http.ts";
import { type Holder, type Resource, resourceOf, type StoredFile, storedFile, storeStream } from "./state.ts";
import { readZip, writeZip } from "./zip.ts";

/** Where resources are asked for: of a session, of scans, of an assessor. */
export interface ResourcePlace {
  readonly holder: Pick<Holder, "resources">;
  /** All that are meant: of several scans in one address. */
  readonly parents: readonly Pick<Holder, "resources">[];
  readonly uri: string;
  readonly rest: readonly string[];
}

export async function answerResources(request: XnatRequest, place: ResourcePlace): Promise<Answer | undefined> {
  const [kind, label, files, ...path] = place.rest;
  if (kind === "files") return filesAnswer(request, place.uri, resourcesOf(place));
  if (kind !== "resources") return undefined;
  if (label === undefined) return table(request.query, resourcesOf(place).map(resourceRow(request)));
  if (files === undefined) return answerResource(request, place, label);
  if (files !== "files") return undefined;
  return path.length === 0 ? listFiles(request, place, label) : await answerFile(request, place, label, path.join("/"));
}

function resourcesOf({ parents }: ResourcePlace): readonly Resource[] {
  return parents.flatMap(({ resources }) => [...resources.values()]);
}

function resourceRow({ query }: XnatRequest) {
  return ({ id, label, format, content, files, claimedFiles }: Resource) => ({
    xnat_abstractresource_id: id,
    label,
    element_name: "xnat:resourceCatalog",
    category: "scans",
    cat_id: "",
    cat_desc: "",
    content,
    format,
    tags: "",
    ...(isSet(query, "file_stats")
      ? {
          file_count: claimedFiles ?? files.size,
          file_size: [...files.values()].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
        }
      : {}),
  });
}

function answerResource(request: XnatRequest, { holder }: ResourcePlace, label: string): Answer {
  const { method, query, state, switches } = request;
  const resource = holder.resources.get(label);
  if (method === "PUT" || method === "POST") {
    if (resource !== undefined) return htmlError(409, "Specified resource already exists.");
    if (!switches.mayWrite) return htmlError(403, "User account doesn't have permission to modify the session.");
    const made = resourceOf(holder, label, state);
    made.format = query.get("format") ?? "";
    made.content = query.get("content") ?? "";
    return { status: 200 };
  }
  if (resource === undefined) return htmlError(404, "Unable to find the specified catalog.");
  if (method === "DELETE") return { status: holder.resources.delete(label) ? 200 : 404 };
  const entries = [...resource.files].map(([name, { md5 }]) => `<cat:entry URI="${name}" digest="${md5}"/>`).join("");
  const body = `<cat:Catalog xmlns:cat="http://nrg.wustl.edu/catalog"><cat:entries>${entries}</cat:entries></cat:Catalog>`;
  return { status: 200, type: "text/xml", body };
}

function listFiles(request: XnatRequest, place: ResourcePlace, label: string): Answer {
  const wanted = new Set(label.split(","));
  const found = resourcesOf(place).filter((resource) => wanted.has(resource.label));
  if (found.length === 0)
    return isSet(request.query, "accept-not-found")
      ? { status: 204 }
      : htmlError(404, "Unable to find the specified catalog.");
  return filesAnswer(request, `${place.uri}/resources/${label}`, found);
}

function filesAnswer({ query, switches }: XnatRequest, uri: string, resources: readonly Resource[]): Answer {
  const files = resources.flatMap(({ files: map, ...resource }) =>
    [...map].map(([path, file]) => ({ path, file, resource })),
  );
  if (query.get("format") === "zip") {
    const whole = files.flatMap(({ path, file, resource }) =>
      file.bytes === undefined ? [] : [{ name: `${resource.label}/files/${path}`, bytes: file.bytes }],
    );
    if (whole.length === 0) return htmlError(404, "Unable to find any matching files.");
    return { status: 200, type: "application/zip", body: writeZip(whole) };
  }
  const base = /\/resources\/[^/]+$/.test(uri) ? uri : undefined;
  const rows = files.map(({ path, file, resource }) => ({
    Name: path.split("/").at(-1) ?? path,
    Size: file.sizeBytes,
    URI: `${base ?? `${uri}/resources/${resource.id}`}/files/${path.split("/").map(encodeURIComponent).join("/")}`,
    collection: resource.label,
    file_tags: "",
    file_format: resource.format,
    file_content: resource.content,
    cat_ID: resource.id,
    ...(switches.digests ? { digest: file.md5 } : {}),
  }));
  return table(query, rows, "Files");
}

async function answerFile(request: XnatRequest, place: ResourcePlace, label: string, path: string): Promise<Answer> {
  const { method } = request;
  const resource =
    place.holder.resources.get(label) ?? [...place.holder.resources.values()].find(({ id }) => `${id}` === label);
  if (method === "PUT" || method === "POST") return await putFile(request, place, label, path);
  const file = resource?.files.get(path);
  if (file === undefined) return htmlError(404, "Unable to find catalog entry for given uri.");
  if (method === "DELETE") {
    resource?.files.delete(path);
    return { status: 200 };
  }
  if (file.bytes === undefined) return htmlError(404, "Unable to find file.");
  return { status: 200, type: "application/octet-stream", body: file.bytes };
}

async function putFile(request: XnatRequest, { holder }: ResourcePlace, label: string, path: string): Promise<Answer> {
  const { query, switches, state, message } = request;
  const file = await storeStream(message);
  if (file.sizeBytes === 0)
    return htmlError(
      400,
      "You tried to PUT to this service, but didn't provide any data (found a request entity size of 0).",
    );
  // Without a right to edit, the source has no else: the answer is 200.
  if (!switches.mayWrite) return { status: 200, type: "text/plain", body: "" };
  const resource = resourceOf(holder, label, state);
  resource.format = query.get("format") ?? resource.format;
  resource.content = query.get("content") ?? resource.content;
  const duplicates = filesOf(query, path, file).flatMap(([name, each]) => {
    if (resource.files.has(name) && !isSet(query, "overwrite")) return [name];
    resource.files.set(name, each);
    return [];
  });
  return duplicates.length === 0 ? { status: 200, type: "text/plain", body: "" } : json({ duplicates });
}

/** One file, or those of an archive that is to be unpacked. */
function filesOf(query: URLSearchParams, path: string, file: StoredFile): readonly (readonly [string, StoredFile])[] {
  if (!isSet(query, "extract") || file.bytes === undefined) return [[path, file]];
  return readZip(file.bytes).map(({ name, bytes }) => [name, storedFile(bytes)]);
}
