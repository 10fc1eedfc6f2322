import { GatewayError } from "radferry";
import {
  AlreadyExistsError,
  createFlipImaging,
  FileNotFoundError,
  type FlipImaging,
  HttpError,
  type ImportStatus,
  PathTraversalError,
  type XnatAuthHeaders,
} from "radferry/flip";
import { answer, endOf } from "./refusals.ts";

const { PROJECT = "", HUB_PROJECT = "", QUERY = "", COOKIE = "", IMAGE = "" } = process.env;
const headers: XnatAuthHeaders = { Cookie: COOKIE };

await using flip: FlipImaging = createFlipImaging(process.env);
const isQueued: boolean = await flip.retrieveImagesForProject(PROJECT, QUERY, headers);
const status: ImportStatus = await flip.getImportStatus(PROJECT, QUERY, headers);
const isQueuedAgain: boolean = await flip.retryRetrieveImagesForProject(PROJECT, QUERY, headers);
const lists: readonly (readonly string[])[] = [
  status.successful,
  status.failed,
  status.processing,
  status.queued,
  status.queueFailed,
];

const place = { projectId: PROJECT, subjectId: "S1", experimentIdOrLabel: "SESSION", scanId: "2", headers };
await flip.createXnatScan(place);
await flip.createXnatResource({ ...place, resourceId: "SEG" });
const url: string = await flip.uploadFileToXnat({ ...place, resourceId: "SEG", filePath: IMAGE });
const isThere: boolean = await flip.checkFileExistsInXnat(url, headers);

const upload = {
  centralHubProjectId: HUB_PROJECT,
  accessionId: "SESSION",
  netId: "net-1",
  scanId: "2",
  resourceId: "NIFTI",
  existOk: false,
  headers,
};
const uploadOf = (path: string): Promise<string[]> =>
  flip.uploadDataToXnat({ ...upload, filesRelativePathsToUpload: [path] });
const urls = await uploadOf("a.nii");
const refused = await flip.getImportStatus("nobody's", QUERY).catch((thrown: unknown) => thrown);
if (!(refused instanceof HttpError)) throw new Error("an unknown project has a status");
const httpStatus: number = refused.status;
const detail: string = refused.detail;

answer({
  isQueued,
  isQueuedAgain,
  lists,
  isThere,
  urls: urls.length,
  refusals: [
    await endOf(() => uploadOf("a.nii")),
    await endOf(() => uploadOf("../a.nii")),
    await endOf(() => uploadOf("none.nii")),
    await endOf(() => flip.createXnatResource({ ...place, resourceId: "SEG" })),
  ],
  httpStatus,
  hasDetail: detail !== "",
  areGateways: [AlreadyExistsError, FileNotFoundError, PathTraversalError, HttpError].map(
    (each) => each.prototype instanceof GatewayError,
  ),
});
