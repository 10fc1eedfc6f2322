import { type Answer, htmlError, type Item, item, table, type XnatRequest } from "./http.ts";
import { answerResources } from "./resources.ts";
import type { Located } from "./sessions.ts";
import type { Resource, Scan } from "./state.ts";
import { isBefore } from "./versions.ts";

const CONCRETE = /^xnat:[a-zA-Z]+ScanData$/;
const ABSTRACT: ReadonlySet<string> = new Set(["xnat:imageScanData", "xnat:ScanData"]);
/** The first version that refuses to change a scan's type. */
const REFUSES_TYPES_FROM = "1.8.6";

export async function answerScans(request: XnatRequest, located: Located): Promise<Answer | undefined> {
  const { holder, uri, rest } = located;
  const [, id, ...below] = rest;
  if (id === undefined) {
    const rows = [...holder.scans.values()].map((scan) => ({
      xnat_imagescandata_id: scan.id,
      ID: scan.id,
      type: scan.seriesDescription,
      quality: "usable",
      xsiType: scan.xsiType,
      note: "",
      series_description: scan.seriesDescription,
      URI: `${uri}/scans/${scan.id}`,
    }));
    return table(request.query, rows, "scans");
  }
  const isAll = id === "ALL" || id === "*";
  const scans = isAll ? [...holder.scans.values()] : id.split(",").flatMap((each) => holder.scans.get(each) ?? []);
  const [scan] = scans;
  if (below.length === 0 && !isAll) return answerScan(request, located, id, scan);
  if (scan === undefined) return htmlError(404, "Unable to identify scan");
  return await answerResources(request, { holder: scan, uri: `${uri}/scans/${id}`, rest: below, parents: scans });
}

function answerScan(request: XnatRequest, { holder, experiment }: Located, id: string, scan?: Scan): Answer {
  const { method, query, switches } = request;
  if (method === "GET")
    return scan === undefined ? htmlError(404, "Unable to find the specified scan.") : item(scanItem(scan));
  if (method === "DELETE") return { status: holder.scans.delete(id) ? 200 : 404 };
  if (experiment === undefined) return htmlError(404, "Unable to identify image session");
  const xsiType = query.get("xsiType") ?? "";
  if (!CONCRETE.test(xsiType) || ABSTRACT.has(xsiType)) return htmlError(400, "Scan type is not a concrete scan type");
  if (scan === undefined) {
    const facts = { uid: "", modality: "", seriesDescription: "", resources: new Map() };
    holder.scans.set(id, { id, xsiType, ...facts });
    return { status: 200 };
  }
  if (method === "POST") return htmlError(409, "Specified scan already exists.");
  if (scan.xsiType !== xsiType && !isBefore(switches.version, REFUSES_TYPES_FROM))
    return htmlError(409, "Specified xsiType differs from existing xsiType");
  return { status: 200 };
}

export function scanItem(scan: Scan): Item {
  const { id, uid, xsiType, modality, seriesDescription, resources } = scan;
  const files = [...resources.values()].map(resourceItem);
  return {
    type: xsiType,
    fields: { ID: id, UID: uid, type: seriesDescription, modality, series_description: seriesDescription },
    children: files.length === 0 ? {} : { file: files },
  };
}

function resourceItem({ id, label, files, claimedFiles, format, content }: Resource): Item {
  const sizeBytes = [...files.values()].reduce((sum, each) => sum + each.sizeBytes, 0);
  return {
    type: "xnat:resourceCatalog",
    fields: {
      xnat_abstractresource_id: id,
      label,
      file_count: claimedFiles ?? files.size,
      file_size: sizeBytes,
      format,
      content,
    },
  };
}
