import { extname } from "node:path";
import { z } from "zod";
import { keepSequence, MAXIMUM_SEQUENCE_BYTES } from "../../../acquisition/sequences.ts";
import { GatewayError } from "../../../errors/gateway-error.ts";
import type { ScanSequence } from "../../../store/acquisitions.ts";
import { ValidationFailure, validated } from "../../fastapi/validation.ts";
import { sequenceListed, sequenceOut } from "../documents.ts";
import { sequenceChange } from "../models.ts";
import type { ScanHubWorld } from "../world.ts";
import { json, refusal, route, type ScanHubRequest, type ScanHubRoute } from "./route.ts";

const PAGE = 10_000;
const OBJECT_ID = /^[0-9a-f]{24}$/i;
/** In a list: the files of what is beyond it are had one by one. */
const MAXIMUM_LISTED_BYTES = 2 * MAXIMUM_SEQUENCE_BYTES;

async function sequenceOf({ store }: ScanHubWorld, id: string): Promise<ScanSequence> {
  const sequence = OBJECT_ID.test(id) ? await store.scanSequence(id.toLowerCase()) : undefined;
  if (sequence === undefined) throw refusal(404, `MRI sequence with ID ${id} not found.`);
  return sequence;
}

/** ScanHub's pages show a sequence's text from the list, and ask for no other. */
async function listed(store: ScanHubWorld["store"]): Promise<readonly unknown[]> {
  const documents: unknown[] = [];
  let bytes = 0;
  for (const facts of await store.listScanSequences(PAGE)) {
    bytes += facts.sizeBytes;
    const whole = bytes > MAXIMUM_LISTED_BYTES ? undefined : await store.scanSequence(facts.id);
    documents.push(whole === undefined ? sequenceListed(facts) : sequenceOut(whole));
  }
  return documents;
}

/** The name that a file is saved under. */
const named = (usual: string) => z.object({ name: z.string().default(usual) });

const uploadForm = z.object({
  name: z.string(),
  description: z.string().default(""),
  sequence_type: z.string().default(""),
  tags: z.array(z.string()),
});
/** A file in a form, as OpenAPI writes one. */
const fileOfForm = z.string().meta({ format: "binary" });

export const sequenceRoutes: readonly ScanHubRoute[] = [
  route({
    method: "POST",
    path: "/sequence",
    summary: "Create Mri Sequence",
    status: 201,
    takes: "bytes",
    described: uploadForm.extend({ seq_file: fileOfForm, xml_file: fileOfForm.optional() }),
    handle: ({ raw }, world) => upload(world, raw),
  }),
  route({
    method: "GET",
    path: "/sequences/all",
    summary: "Get All Mri Sequences",
    handle: async (_, { store }) => json(await listed(store)),
  }),
  route({
    method: "GET",
    path: "/sequence/{sequence_id}",
    summary: "Get Mri Sequence By Id",
    handle: async ({ path }, world) => json(sequenceOut(await sequenceOf(world, path("sequence_id")))),
  }),
  route({
    method: "GET",
    path: "/sequence/{sequence_id}/file",
    summary: "Get Mri Sequence File By Id",
    query: named("sequence"),
    async handle({ path, query }, world) {
      const { file, fileExtension = "" } = await sequenceOf(world, path("sequence_id"));
      return { bytes: file, attachment: `${query.name}${fileExtension}` };
    },
  }),
  route({
    method: "GET",
    path: "/sequence/{sequence_id}/header",
    summary: "Get Mri Sequence Header File By Id",
    query: named("header"),
    async handle({ path, query }, world) {
      const { header, headerExtension = "" } = await sequenceOf(world, path("sequence_id"));
      if (header === undefined) throw refusal(404, "No MRD header available");
      return { bytes: header, attachment: `${query.name}${headerExtension}` };
    },
  }),
  route({
    method: "PUT",
    path: "/sequence/{sequence_id}",
    summary: "Update Mri Sequence Endpoint",
    body: sequenceChange,
    async handle({ path, body }, world) {
      const id = path("sequence_id").toLowerCase();
      const { name, description, sequence_type: sequenceType, tags } = body;
      // What is empty is not written.
      const change = {
        ...(name ? { name } : {}),
        ...(description ? { description } : {}),
        ...(sequenceType ? { sequenceType } : {}),
        ...(tags && tags.length > 0 ? { tags } : {}),
      };
      if (!(await world.store.changeScanSequence(id, change, world.clock.nowMs())))
        throw refusal(404, "MRI sequence not found.");
      return json(sequenceOut(await sequenceOf(world, id)));
    },
  }),
  route({
    method: "DELETE",
    path: "/sequence/{sequence_id}",
    summary: "Delete Mri Sequence Endpoint",
    status: 202,
    async handle({ path }, { store }) {
      if (!(await store.removeScanSequence(path("sequence_id").toLowerCase())))
        throw refusal(404, "MRI sequence not found");
      return json(null);
    },
  }),
];

async function upload(world: ScanHubWorld, { body, contentType, query }: ScanHubRequest) {
  const form = await formOf(body, contentType);
  const text = (name: string): unknown => form.get(name) ?? (query as Record<string, unknown>)[name];
  const tags = form.getAll("tags").filter((tag) => typeof tag === "string");
  const facts = validated(
    uploadForm,
    { ...Object.fromEntries(["name", "description", "sequence_type"].map((name) => [name, text(name)])), tags },
    "body",
  );
  const file = form.get("seq_file");
  const header = form.get("xml_file");
  if (!(file instanceof File)) throw missingField("seq_file");
  try {
    const kept = await keepSequence(world, {
      name: facts.name,
      description: facts.description,
      sequenceType: facts.sequence_type,
      tags: facts.tags,
      file: new Uint8Array(await file.arrayBuffer()),
      fileExtension: extensionOf(file.name),
      ...(header instanceof File && header.size > 0
        ? { header: new Uint8Array(await header.arrayBuffer()), headerExtension: extensionOf(header.name) }
        : {}),
    });
    return json(sequenceOut(await sequenceOf(world, kept.id)));
  } catch (thrown) {
    if (!(thrown instanceof GatewayError) || thrown.code !== "SCAN_SEQUENCE_INVALID") throw thrown;
    throw refusal(404, "Invalid sequence file");
  }
}

function extensionOf(name: string): string | undefined {
  return extname(name) || undefined;
}

function missingField(name: string): ValidationFailure {
  return new ValidationFailure([{ type: "missing", loc: ["body", name], msg: "Field required", input: null }]);
}

/** RFC 7578. @throws ValidationFailure */
async function formOf(body: unknown, contentType: string): Promise<FormData> {
  const bytes = body instanceof Uint8Array ? Uint8Array.from(body) : new Uint8Array();
  try {
    return await new Response(bytes, { headers: { "content-type": contentType } }).formData();
  } catch {
    throw missingField("seq_file");
  }
}
