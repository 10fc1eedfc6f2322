import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { createForwarding, type Forwarding } from "../archive/dimse/forward-instances.ts";
import type { NodeRole } from "../config/node-roles.ts";
import type { Settings } from "../config/settings.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { errorFields } from "../observe/error-fields.ts";
import { leasesOf } from "../store/leases-of.ts";
import { type NodeRecord, nameResource, type PermitWish, SILENT_MS } from "../store/nodes.ts";
import { createSharedPermits, PERMIT_LEASE_MS, type SharedPermits, studyResource } from "../store/shared-permits.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import { writeFileDurably } from "../units/durable-files.ts";
import type { Logger } from "../units/logger.ts";
import type { Random } from "../units/random.ts";
import { type Alone, createAlone } from "./keep-alone.ts";
import { namesOfHome } from "./node-names.ts";
import { nodeConnection } from "./node-security.ts";

/** Several times within a permit's lease: a beat or two may fail. */
const BEAT_MS = 5_000;
/** A node that gave no sign for so long is not coming back under its name. */
const FORGET_AFTER_MS = 24 * 3_600_000;
const LONGEST_HOST_CHARACTERS = 40;

/** This gateway among those that share its store. */
export interface GatewayNode extends AsyncDisposable {
  readonly name: string;
  /** What all nodes hold together; undefined where the store is this node's own. */
  readonly permits: SharedPermits | undefined;
  readonly alone: Alone;
  /** By which what archives allow is shared: permits, and how many nodes were at work when this one last looked, itself among them. */
  readonly limits: { readonly permits: SharedPermits | undefined; readonly sharers: () => number };
  /** Undefined where no other node has our AE title. */
  readonly forwarding: Forwarding | undefined;
  /** The store, of whose leases this node's are known as its own. */
  leasesOf(store: Store): Store;
  /** Tells the others where our DICOM listener is. */
  listensAt(port: number): Promise<void>;
}

interface NodeParts {
  readonly settings: Pick<Settings, "home" | "store" | "node" | "dicom">;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly version: string;
}

/** Who has the home's lock is the only one of its name in it. */
interface Identity {
  readonly name: string;
  /** Of the home, whatever the settings call it. */
  readonly id: string;
}

/**
 * Gives back what an earlier start under this name held; of a store that is this node's own, everything. From then on the node gives signs of
 * life until it is disposed. The home is locked by the caller.
 * @throws GatewayError NODE_NAME_IN_USE when another home is at work under this name, STORE_…
 */
export async function joinNodes(parts: NodeParts): Promise<GatewayNode> {
  const { settings, store, clock } = parts;
  const identity = await identityOf(parts);
  const { name } = identity;
  if (settings.store.kind === "sqlite") {
    await store.releaseLeases(clock.nowMs());
    return onlyNode(name, parts);
  }
  await claimName(identity, parts);
  await store.returnPermitsOf(name);
  await claimName(identity, parts);
  await store.releaseLeases(clock.nowMs(), name);
  return await beating(identity, parts);
}

function onlyNode(name: string, parts: NodeParts): GatewayNode {
  return {
    name,
    permits: undefined,
    forwarding: undefined,
    limits: { permits: undefined, sharers: () => 1 },
    alone: createAlone({ ...parts, permits: undefined }),
    leasesOf: (store) => store,
    async listensAt() {},
    async [Symbol.asyncDispose]() {},
  };
}

/** Held like any permit: it lapses when the node has died. */
async function claimName({ name, id }: Identity, { store, clock }: NodeParts): Promise<void> {
  if (!(await store.takePermit(nameWish({ name, id }), PERMIT_LEASE_MS, clock.nowMs())))
    throw new GatewayError("NODE_NAME_IN_USE", { node: name });
}

function nameWish({ name, id }: Identity): PermitWish {
  return { resource: nameResource(name), limit: 1, holder: id, node: name };
}

/** An operator may have said that this node is gone for good: what it was not asked for meanwhile it is asked for now, under every name it had. */
async function comeBack(
  { id }: Identity,
  names: ReadonlySet<string>,
  { store, clock, logger }: NodeParts,
): Promise<void> {
  for (const node of names)
    if (await store.returnNode(node, id, clock.nowMs()))
      logger.warn("this gateway was given up, and came back", { node });
}

async function beating(identity: Identity, parts: NodeParts): Promise<GatewayNode> {
  const { settings, store, clock, random, logger, version } = parts;
  const { name } = identity;
  const permits = createSharedPermits({ store, node: name, clock, random });
  const startedAtMs = clock.nowMs();
  const names = new Set([...(await namesOfHome(settings)), name]);
  let address: string | undefined;
  let atWork = 1;
  const beat = async (): Promise<void> => {
    const nowMs = clock.nowMs();
    await store.beatNode({ name, version, roles: settings.node.roles, address, startedAtMs }, nowMs);
    await permits.keep();
    await claimName(identity, parts);
    await comeBack(identity, names, parts);
    await store.forgetNodes(nowMs - FORGET_AFTER_MS);
    const others = (await store.listNodes()).filter((node) => node.name !== name && isAtWork(node, clock.nowMs()));
    atWork = 1 + others.length;
  };
  await beat();
  const stop = new AbortController();
  const loop = async (): Promise<void> => {
    for (;;) {
      await clock.sleep(BEAT_MS, stop.signal).catch(() => undefined);
      if (stop.signal.aborted) return;
      await beat().catch((thrown: unknown) => logger.warn("node could not give a sign of life", errorFields(thrown)));
    }
  };
  const running = loop();
  const nodeOfStudy = (studyInstanceUid: string) =>
    store.nodeOfStudy({ resource: studyResource(studyInstanceUid), studyInstanceUid }, clock.nowMs());
  const forwarding = settings.node.sharedAeTitle
    ? createForwarding({ node: name, nodeOfStudy, connection: nodeConnection(settings), clock, logger })
    : undefined;
  return {
    name,
    permits,
    forwarding,
    limits: { permits, sharers: () => atWork },
    alone: createAlone({ permits, clock, logger }),
    leasesOf: (shared) => leasesOf(shared, name),
    async listensAt(port) {
      address = `${settings.dicom.aeTitle}@${reachableHost(settings)}:${settings.node.port ?? port}`;
      await beat();
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
      await forwarding?.[Symbol.asyncDispose]();
      // Its workers have ended: what they left is another's at once.
      await store
        .releaseLeases(clock.nowMs(), name)
        .then(() => store.leaveNodes(name))
        .catch((thrown: unknown) => logger.warn("studies are waited for in vain for a while", errorFields(thrown)));
      await store
        .returnPermitsOf(name)
        // It holds nothing from this moment, but tells whose the name was: see `NodeStore.returnNode`.
        .then(() => store.takePermit(nameWish(identity), 0, clock.nowMs()))
        .catch((thrown: unknown) => logger.warn("permits lapse by themselves", errorFields(thrown)));
    },
  };
}

/** Who retrieves no studies takes no part of what archives may send. */
function isAtWork({ roles, seenAtMs }: NodeRecord, nowMs: number): boolean {
  return nowMs - seenAtMs < SILENT_MS && roles.includes("worker");
}

function reachableHost({ node, dicom }: Pick<Settings, "node" | "dicom">): string {
  if (node.host !== undefined) return node.host;
  return dicom.host === "0.0.0.0" || dicom.host === "::" ? hostname() : dicom.host;
}

/** The name is the machine's where the settings give none. The id is made at the first start. */
async function identityOf({ settings, random }: Pick<NodeParts, "settings" | "random">): Promise<Identity> {
  const path = join(settings.home, "node-id");
  const kept = await readFile(path, "utf8").catch(() => "");
  const parsed = /^([0-9a-f]{16}) ([A-Za-z0-9._-]{1,64})\n$/.exec(kept);
  const [, id = Buffer.from(random.bytes(8)).toString("hex")] = parsed ?? [];
  const host = hostname()
    .replaceAll(/[^A-Za-z0-9-]/g, "-")
    .slice(0, LONGEST_HOST_CHARACTERS);
  const [, , usualName = `${host === "" ? "node" : host}-${id.slice(0, 6)}`] = parsed ?? [];
  if (parsed === null) await writeFileDurably(path, `${id} ${usualName}\n`);
  return { name: settings.node.name ?? usualName, id };
}

/** Whether this node has a part in it. */
export function hasRole({ node }: Pick<Settings, "node">, role: NodeRole): boolean {
  return node.roles.includes(role);
}

/** @throws GatewayError NODE_ROLES_INCOMPLETE */
export function checkRoles(settings: Pick<Settings, "node" | "archives">): void {
  const isMoved = settings.archives.some((archive) => archive.kind === "dimse" && archive.retrieve === "move");
  if (isMoved && hasRole(settings, "worker") && !hasRole(settings, "receiver"))
    throw new GatewayError("NODE_ROLES_INCOMPLETE");
}
