import { Document, isMap, isScalar, isSeq } from "yaml";
import { settingDescriptions } from "./settings-table.ts";

/** An example of every setting this version has; the comments come from the manifest. */
const EXAMPLE = {
  home: "/var/lib/radferry",
  store: { kind: "sqlite" },
  dicom: { aeTitle: "RADFERRY", host: "0.0.0.0", port: 11_112 },
  http: { host: "127.0.0.1", port: 8_080 },
  retry: { attempts: 60, firstDelaySeconds: 5, maximumDelaySeconds: 900 },
  staging: { path: "/var/lib/radferry/staging", reserveGigabytes: 20, keepDays: 3 },
  archives: [
    {
      name: "vna",
      kind: "dimse",
      address: "VNA@vna.example.org:104",
      retrieve: "move",
      availability: { associations: 4 },
    },
  ],
  destinations: [
    { name: "research-store", kind: "folder", path: "/data/research" },
    { name: "viewer", kind: "dimse", address: "STORE@127.0.0.1:4242", confirm: "find" },
  ],
  projects: [
    {
      name: "lung-ct",
      archives: ["vna"],
      destinations: ["research-store", "viewer"],
      profile: "research",
      keyFile: "keys/lung-ct.key",
      partial: "hold",
      maximumStudiesPerRequest: 5,
      accessionNumbersUnique: true,
      pseudonyms: { mode: "hmac" },
      optOut: ["opt-out.csv"],
      filters: { modalities: ["CT"], minimumInstancesPerSeries: 2, excludeSeriesDescriptions: ["localizer"] },
    },
  ],
};

const HEADER = ` Settings of Radferry. Paths may be relative to this file. What is left out has its default.
 Check them with: radferry config check`;

/** A commented file to begin with. It passes the check, except for the key and the opt-out list it names. */
export function sampleSettings(): string {
  const document = new Document(EXAMPLE);
  document.commentBefore = HEADER;
  const descriptions = settingDescriptions();
  annotate(document.contents, "", new Set(), descriptions);
  return document.toString({ lineWidth: 0 });
}

/** Writes each description before the first place where its setting stands. */
function annotate(node: unknown, path: string, done: Set<string>, descriptions: ReadonlyMap<string, string>): void {
  if (isSeq(node)) for (const item of node.items) annotate(item, `${path}[]`, done, descriptions);
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    if (!isScalar(key)) continue;
    const at = path === "" ? String(key.value) : `${path}.${String(key.value)}`;
    const description = descriptions.get(at);
    if (description !== undefined && !done.has(at)) key.commentBefore = ` ${description}`;
    done.add(at);
    if (isSeq(value) && value.items.every(isScalar)) value.flow = true;
    annotate(value, at, done, descriptions);
  }
}
