import { csvLine } from "../cohort/export.ts";
import { trimIdentifier } from "../cohort/identifiers.ts";
import { openLinkage } from "../deid/linkage/open-linkage.ts";
import type { LinkSealer } from "../deid/linkage/sealing.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { LinkageProof, LinkFilter, LinkRecord } from "../store/linkage.ts";
import type { OperationsContext } from "./context.ts";
import { isoTime } from "./describe.ts";
import type { LinkageDestroyedDocument, LinkageWish, LinkDocument, LinkDocuments } from "./linkage-operations.ts";

/** Links read at a time. */
const PAGE = 500;
/** More of one person are not shown at once: an export has them all. */
const MOST_SHOWN = 10_000;

/** Each column with the member it shows. */
const COLUMNS = {
  patient_id: "patientId",
  study_instance_uid: "studyInstanceUid",
  accession_number: "accessionNumber",
  pseudonym: "pseudonym",
  pseudo_study_instance_uid: "pseudoStudyInstanceUid",
  study: "study",
  linked_at: "at",
} as const satisfies Record<string, keyof LinkDocument>;

/** See `LinkageOperations.exportLinkage`. */
export async function* exportLinkage(context: OperationsContext, project: string): AsyncGenerator<string> {
  const { store, audit, actor } = context;
  const sealer = await sealerOf(context, project);
  const links = (await store.linkageOf(project))?.links ?? 0;
  await audit.record({ event: "linkage-exported", actor, outcome: "success", project, detail: { links } });
  yield csvLine(Object.keys(COLUMNS));
  for await (const link of linksOf(context, project, {})) {
    const document = describe(sealer, link);
    yield csvLine(Object.values(COLUMNS).map((name) => document[name]));
  }
}

/** See `LinkageOperations.lookUpLinkage`. */
export async function lookUpLinkage(
  context: OperationsContext,
  project: string,
  wish: LinkageWish,
): Promise<LinkDocuments> {
  const { audit, actor } = context;
  const sealer = await sealerOf(context, project);
  const filter: LinkFilter =
    "pseudonym" in wish
      ? { pseudonym: wish.pseudonym }
      : { patientDigest: sealer.patientDigest(trimIdentifier(wish.patientId)) };
  const links: LinkRecord[] = [];
  for await (const link of linksOf(context, project, filter)) {
    if (links.length === MOST_SHOWN) break;
    links.push(link);
  }
  const [first] = links;
  const detail = {
    by: "pseudonym" in wish ? "pseudonym" : "patient",
    links: links.length,
    ...(first === undefined ? {} : { pseudonym: first.pseudonym }),
  };
  await audit.record({ event: "identified-values-shown", actor, outcome: "success", project, detail });
  return { project, items: links.map((link) => describe(sealer, link)) };
}

/** See `LinkageOperations.destroyLinkage`. */
export async function destroyLinkage(
  { store, clock, actor, projects }: OperationsContext,
  project: string,
  { isRehearsal = false }: { readonly isRehearsal?: boolean } = {},
): Promise<LinkageDestroyedDocument> {
  if (!projects.has(project)) throw new GatewayError("PROJECT_UNKNOWN", { project });
  if (isRehearsal) {
    const kept = await store.linkageOf(project);
    if (kept === undefined) throw new GatewayError("LINKAGE_NOT_KEPT", { project });
    const { links, proof } = kept;
    return { project, destroyed: proof !== undefined, ...(proof === undefined ? { links } : proofOf(proof)) };
  }
  const audit = { event: "linkage-destroyed", actor, outcome: "success", project } as const;
  const proof = await store.destroyLinkage(project, audit, clock.nowMs());
  return { project, destroyed: true, ...proofOf(proof), journalEmptied: await store.emptyJournal() };
}

/** @throws GatewayError PROJECT_UNKNOWN, LINKAGE_DESTROYED, LINKAGE_NOT_KEPT, LINKAGE_UNREADABLE, LINKAGE_KEY_SHARED, KEY_FILE_… */
export async function sealerOf(
  { store, projects, clock }: Pick<OperationsContext, "store" | "projects" | "clock">,
  project: string,
): Promise<LinkSealer> {
  const facts = projects.get(project);
  if (facts === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project });
  // It is told even when its key file is gone, as it should be.
  const destroyed = (await store.linkageOf(project))?.proof;
  if (destroyed !== undefined) throw new GatewayError("LINKAGE_DESTROYED", { project, ...proofOf(destroyed) });
  const { linkageKeyFile: path } = facts;
  if (path === undefined) throw new GatewayError("LINKAGE_NOT_KEPT", { project });
  const opened = await openLinkage(store, { project, path, keyId: await facts.keyId() }, clock.nowMs());
  if (opened.kind === "kept") return opened.sealer;
  throw new GatewayError("LINKAGE_DESTROYED", { project, ...proofOf(opened.proof) });
}

async function* linksOf({ store }: OperationsContext, project: string, filter: LinkFilter): AsyncGenerator<LinkRecord> {
  let after = 0;
  for (;;) {
    const page: readonly LinkRecord[] = await store.listLinks(project, filter, { after, limit: PAGE });
    yield* page;
    after = page.at(-1)?.number ?? after;
    if (page.length < PAGE) return;
  }
}

function describe(sealer: LinkSealer, link: LinkRecord): LinkDocument {
  const { pseudonym, pseudoStudyInstanceUid, job, atMs } = link;
  return { ...sealer.open(link), pseudonym, pseudoStudyInstanceUid, study: job, at: isoTime(atMs) };
}

function proofOf({ links, digest, atMs }: LinkageProof) {
  return { links, digest, at: isoTime(atMs) };
}
