import { z } from "zod";
import { GatewayError } from "../../../errors/gateway-error.ts";
import { laxInteger } from "../../fastapi/validation.ts";
import { notFound } from "../errors.ts";
import { distinct, requestImport, type WantedStudy } from "../imports.ts";
import { checkPacs, pingPacs, queryAccession } from "../pacs.ts";
import { getProject } from "../projects.ts";
import { type Route, type RouteContext, route } from "./route.ts";
import { schemas } from "./schemas.ts";

const tag = "Imaging";

export const imagingRoutes: readonly Route[] = [
  // The hub's view of each trust asks so: which id XNAT gave the PACS, only XNAT knows.
  route({
    method: "GET",
    path: "/imaging/ping_pacs",
    tag,
    name: "ping_registered_pacs_endpoint",
    summary: "Ping the registered Imaging Provider (PACS)",
    query: z.object({ pacs_id: laxInteger.optional() }),
    answer: schemas.PacsStatus,
    async handle({ query }, { services, xnat, signal }) {
      return await pingPacs(xnat, query.pacs_id ?? (await services.pacs.id(xnat, signal)), signal);
    },
  }),
  route({
    method: "GET",
    path: "/imaging/ping_pacs/{pacs_id}",
    tag,
    name: "ping_pacs_endpoint",
    summary: "Ping Imaging Provider (PACS) by ID",
    params: z.object({ pacs_id: laxInteger }),
    answer: schemas.PacsStatus,
    handle: ({ path }, { xnat, signal }) => pingPacs(xnat, path.pacs_id, signal),
  }),
  route({
    method: "GET",
    path: "/imaging/query_by_accession_number",
    tag,
    name: "query_by_accession_number_endpoint",
    summary: "Query Imaging Provider (PACS) by Accession Number",
    query: z.object({ accession_number: z.string() }),
    answer: z.array(schemas.Study),
    async handle({ query }, { services, xnat, signal }) {
      const pacsId = await services.pacs.id(xnat, signal);
      return await queryAccession(xnat, pacsId, query.accession_number, signal);
    },
  }),
  route({
    method: "POST",
    path: "/imaging/queue_image_import_request",
    tag,
    name: "queue_image_import_request_endpoint",
    summary: "Queue Image Import Request from Imaging Provider (PACS)",
    body: schemas.ImportStudyRequest,
    answer: z.array(schemas.ImportStudyResponse),
    handle: ({ body }, context) => queueImport(body, context),
  }),
];

async function queueImport(
  body: z.infer<typeof schemas.ImportStudyRequest>,
  { services, xnat, signal }: RouteContext,
): Promise<unknown> {
  const { settings, pacs, subjectNames } = services;
  const { projectId, aeTitle = settings.xnat.aeTitle, port = settings.xnat.port, forceImport } = body;
  await getProject(xnat, projectId, signal);
  const pacsId = await pacs.id(xnat, signal);
  await checkPacs(xnat, pacsId, signal);
  const studies = body.studies.map(
    ({ studyInstanceUid, accessionNumber }): WantedStudy => ({
      studyInstanceUid,
      accessionNumber,
      // Nobody says whose study it is: it is a subject of its own.
      relabelMap: { Subject: subjectNames(projectId, "", studyInstanceUid), Session: accessionNumber },
    }),
  );
  const rows = await requestImport(xnat, { pacsId, aeTitle, port, projectId, forceImport }, studies, signal);
  if (rows.length === 0) throw notFound("No studies found on PACS with the study instance UID(s) provided");
  // What was queued stays queued; the original answers so all the same.
  if (rows.length !== distinct(studies).length) throw new GatewayError("FLIP_IMPORT_DROPPED", { studies: rows.length });
  return rows;
}
