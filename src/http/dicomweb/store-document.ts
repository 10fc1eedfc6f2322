import type { ErrorCode } from "../../errors/registry.ts";
import { type BesideApi, type BesideOperation, type Json, problemsBy, USUAL_ERRORS } from "../openapi.ts";
import { STORE_PATHS } from "./store-routes.ts";

const TAG = "DICOMweb";

/** What a request to store may be refused with as a whole. */
const STORE_ERRORS: readonly ErrorCode[] = [
  ...USUAL_ERRORS,
  "API_BODY_TOO_LARGE",
  "API_CONTENT_TYPE_UNSUPPORTED",
  "INTAKE_BUSY",
  "STAGING_FULL",
  "STAGING_UNAVAILABLE",
];

/** An attribute of the DICOM JSON Model with so many values. PS3.18 F.2.2. */
function attribute(vr: string, items?: Json): Json {
  const value = items === undefined ? {} : { Value: { type: "array", minItems: 1, items } };
  const properties = { vr: { type: "string", const: vr }, ...value };
  return { type: "object", properties, required: Object.keys(properties), additionalProperties: false };
}

function sequence(description: string, properties: Json, required: readonly string[]): Json {
  return {
    ...attribute("SQ", { type: "object", properties, required, additionalProperties: false }),
    description,
  };
}

const UID = { type: "string" };
const RETRIEVE_URL = { ...attribute("UR"), description: "Retrieve URL: empty, as studies are not given out again" };
const REFERENCE = { "00081150": attribute("UI", UID), "00081155": attribute("UI", UID) };
const REASON = {
  "00081197": {
    ...attribute("US", { type: "integer", minimum: 0, maximum: 0xffff }),
    description: "Failure Reason: the status that C-STORE would answer",
  },
  "00000902": { ...attribute("LO", { type: "string" }), description: "Error Comment: what a rule says why it refuses" },
};

/** The Store Instances Response Module. PS3.18 table I.1-1. */
const RESPONSE: Json = {
  type: "object",
  required: ["00081190"],
  additionalProperties: false,
  properties: {
    "00081190": RETRIEVE_URL,
    "00081199": sequence(
      "Referenced SOP Sequence: what is stored, and durable",
      { ...REFERENCE, "00081190": RETRIEVE_URL },
      ["00081150", "00081155", "00081190"],
    ),
    "00081198": sequence("Failed SOP Sequence: what is not", { ...REFERENCE, ...REASON }, [
      "00081150",
      "00081155",
      "00081197",
    ]),
    "0008119A": sequence("Other Failures Sequence: parts of which no UID could be read", REASON, ["00081197"]),
  },
};

const NAME = "StoreInstancesResponse";
const CONTENT: Json = {
  "application/dicom+json": { schema: { $ref: `#/components/schemas/${NAME}` } },
  "application/dicom+xml": {
    schema: { type: "string", description: "the same as a Native DICOM Model (PS3.19 A.1), if only XML is accepted" },
  },
};
const WARNING = {
  Warning: { description: "the reasons of rules that refused, each as `299 radferry`", schema: { type: "string" } },
};
/** PS3.18 table 10.5.3-1. */
const ANSWERS: Json = {
  200: { description: "All is stored", content: CONTENT },
  202: { description: "Some is stored, some is not", headers: WARNING, content: CONTENT },
  409: { description: "Nothing is stored: each instance has its reason", headers: WARNING, content: CONTENT },
};

/** STOW-RS as OpenAPI says it; there only where the settings have `intake`. */
export const storeDocument: BesideApi = {
  tag: { name: TAG, description: "studies that are sent to us, by STOW-RS (PS3.18 10.5)" },
  schemas: { [NAME]: RESPONSE },
  paths: Object.fromEntries(STORE_PATHS.map((path) => [path, { post: operation(path) }])),
};

function operation(path: (typeof STORE_PATHS)[number]): BesideOperation {
  const isOfStudy = path.includes("{study}");
  const study = {
    ...{ name: "study", in: "path", required: true, description: "instances of other studies are not stored" },
    schema: { type: "string", maxLength: 64, pattern: "^(0|[1-9][0-9]*)(\\.(0|[1-9][0-9]*))+$" },
  };
  const parts = {
    ...{ type: "array", minItems: 1, items: { type: "string", contentMediaType: "application/dicom" } },
    description: "Part 10 files (PS3.10), each a part of its own",
  };
  return {
    tags: [TAG],
    summary: `Store instances${isOfStudy ? " of one study" : ""}; a rule of the intake decides whose they are`,
    description: "Needs the role sender, operator or admin.",
    operationId: isOfStudy ? "storeInstancesOfStudy" : "storeInstances",
    parameters: isOfStudy ? [study] : [],
    requestBody: { required: true, content: { 'multipart/related; type="application/dicom"': { schema: parts } } },
    responses: { ...ANSWERS, ...problemsBy(STORE_ERRORS) },
  };
}
