import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type ReceiverOptions, receiveIntoStaging } from "../archive/dimse/receive-instance.ts";
import { createExpectations } from "../archive/expectations.ts";
import { createRefusals } from "../archive/refusals.ts";
import { NODE_ROLES } from "../config/node-roles.ts";
import type { Settings } from "../config/settings.ts";
import type { Environment } from "../config/settings-file.ts";
import { settingsInForce } from "../config/settings-in-force.ts";
import { createWorkerPool } from "../deid/workers/worker-pool.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import type { ApiLimits } from "../http/services.ts";
import { createAuditTrail } from "../observe/audit-trail.ts";
import { meteredStaging } from "../observe/metered.ts";
import { createMetrics, type KeptMetrics } from "../observe/metrics.ts";
import { openTraces } from "../observe/traces.ts";
import type { OperationsContext } from "../operations/context.ts";
import { createOperations } from "../operations/create-operations.ts";
import { createInquiries } from "../operations/inquiries.ts";
import type { Operations } from "../operations/operations.ts";
import { keepStanding } from "../operations/standing/keep-standing.ts";
import { openStagingArea } from "../staging/open-staging.ts";
import { openOutbox } from "../staging/outbox.ts";
import type { StagingArea } from "../staging/staging-area.ts";
import type { Store } from "../store/store.ts";
import type { Actor } from "../units/actor.ts";
import type { AuditTrail } from "../units/audit.ts";
import { type Clock, systemClock } from "../units/clock.ts";
import { type Disk, systemDisk } from "../units/disk.ts";
import type { Logger } from "../units/logger.ts";
import { makeFolders } from "../units/make-folders.ts";
import { type Random, systemRandom } from "../units/random.ts";
import { createSparseLogger } from "../units/sparse-logger.ts";
import { noTraces, type Traces } from "../units/traces.ts";
import { askedWhile } from "./asked-while.ts";
import { tlsListenerFacts } from "./certificate-facts.ts";
import { projectFacts, useProjectKeys } from "./compose-projects.ts";
import { type Composition, compose } from "./composition.ts";
import { type Crew, startWork } from "./crew.ts";
import { destinationFacts } from "./destination-facts.ts";
import { type Fronts, NO_FRONTS } from "./fronts.ts";
import type { Gateway } from "./gateway.ts";
import { lockHome } from "./home-lock.ts";
import { destinationInspectors } from "./inspect-destinations.ts";
import type { Alone } from "./keep-alone.ts";
import { keepHouse } from "./keep-house.ts";
import { keepPlaces } from "./keep-places.ts";
import { keepWithdrawals } from "./keep-withdrawals.ts";
import { createKeeper } from "./keeper.ts";
import { type Listener, NO_LISTENER, openListener, openRehearsalListener, refuseEverything } from "./listener.ts";
import { checkRoles, type GatewayNode, hasRole, joinNodes } from "./node.ts";
import { createPaces, openArchives, type Paces, type Receiving, TAKES_NOTHING } from "./open-archives.ts";
import { type Intake, openIntake } from "./open-intake.ts";
import { notificationFacts, openNotifier } from "./open-notifications.ts";
import { openSharedOutbox } from "./open-shared-outbox.ts";
import { openStore } from "./open-store.ts";
import { ownChecks } from "./own-checks.ts";
import { pipelineOver } from "./pipeline-over.ts";
import { createReload } from "./reload.ts";
import { destinationRemovals } from "./remove-from-destinations.ts";
import { lakeOf, openScanFiles } from "./scan-files.ts";
import { watchStore } from "./store-watch.ts";
import { systemUserName } from "./system-user.ts";
import { createViolationCounts, type ViolationCounts } from "./violation-counts.ts";
import { withdrawnFacts } from "./withdrawn.ts";

export interface GatewayOptions {
  readonly settings: Settings;
  readonly mode: "serve" | "worker" | "client";
  /** Of a client: what is asked of it changes the store for nobody else, and is undone when it is closed; it makes no home. */
  readonly isRehearsal?: boolean;
  readonly logger: Logger;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly disk?: Disk;
  /** Who runs this process; the operating system's user unless told. */
  readonly userName?: string;
  /** What faces are set up by, under the originals' names. */
  readonly environment?: Environment;
  /** Of the program, as its pages tell it. */
  readonly version?: string;
  /** The settings as they are written now, as thoroughly looked at as by `config check`. Left out: they cannot be taken in anew. @throws SettingsError */
  readonly reread?: (() => Promise<Settings>) | undefined;
  /** Of the API, where they are to be others than usual. */
  readonly apiLimits?: Partial<ApiLimits>;
}

/** Builds everything from settings. @throws GatewayError HOME_IN_USE, FOLDER_NOT_WRITABLE, KEY_FILE_…, PROJECT_KEY_…, STORE_…, LISTENER_PORT_IN_USE */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const { logger } = options;
  const settings = settingsFor(options);
  const clock = options.clock ?? systemClock;
  const disk = options.disk ?? systemDisk;
  await using opened = new AsyncDisposableStack();
  const isRehearsal = options.isRehearsal === true && options.mode === "client";
  if (!isRehearsal) await makeHome(settings);
  if (options.mode !== "client") opened.use(lockHome(settings.home));
  const store = opened.use(await openStore(settings, { logger, clock, isRehearsal }));
  const random = options.random ?? systemRandom;
  const violations = createViolationCounts();
  const userName = options.userName ?? systemUserName();
  const person: Actor = { name: userName, kind: "command line", role: settings.access.commandLineRole };
  const worker: Actor = options.mode === "serve" ? { name: userName, kind: "service" } : person;
  const audit = createAuditTrail({ store, clock });
  const { mode, environment = {}, version = "unknown", apiLimits = {}, reread } = options;
  const metrics = createMetrics();
  const world = { settings, store, clock, disk, logger, random, environment, version, metrics, apiLimits, reread };
  const traces = await tracesOf(options, opened);
  const parts: Parts = { mode, ...world, violations, person, worker, audit, traces };
  return options.mode === "client" ? await openClient(parts, opened) : await openWorker(parts, opened);
}

/** Who works beside no service does it all. */
function settingsFor({ settings, mode }: Pick<GatewayOptions, "settings" | "mode">): Settings {
  return mode === "worker" ? { ...settings, node: { ...settings.node, roles: [...NODE_ROLES] } } : settings;
}

async function makeHome({ home }: Settings): Promise<void> {
  await makeFolders(home, { mode: 0o700 }).catch((thrown: unknown) => {
    throw new GatewayError("FOLDER_NOT_WRITABLE", { setting: "home" }, thrown);
  });
}

/** Where they are asked for, they end after everything that makes them. */
async function tracesOf({ settings, mode, version = "unknown" }: GatewayOptions, opened: AsyncDisposableStack) {
  const { traces } = settings.observe;
  if (traces === undefined || mode === "client") return noTraces;
  return opened.use(await openTraces({ ...traces, version }));
}

interface Parts {
  readonly mode: GatewayOptions["mode"];
  readonly settings: Settings;
  readonly store: Store;
  readonly clock: Clock;
  readonly disk: Disk;
  readonly random: Random;
  readonly logger: Logger;
  readonly violations: ViolationCounts;
  /** Who asks through the command line. */
  readonly person: Actor;
  /** In whose name the pipeline works. */
  readonly worker: Actor;
  readonly audit: AuditTrail;
  readonly environment: Environment;
  readonly version: string;
  readonly metrics: KeptMetrics;
  readonly apiLimits: Partial<ApiLimits>;
  readonly traces: Traces;
  readonly reread: GatewayOptions["reread"];
}

/** Looks, submits and asks archives; runs nothing and touches no staging. */
async function openClient(parts: Parts, opened: AsyncDisposableStack): Promise<Gateway> {
  const expectations = createExpectations(parts.clock);
  const paces = createPaces(parts.settings, parts.clock);
  const archives = await openArchives(parts, opened, {
    expectations,
    paces,
    receive: () => refuseEverything,
    takerFor: () => ({ ...TAKES_NOTHING, expectations }),
  });
  const facts = await projectFacts(parts.settings);
  const inForce = { settings: parts.settings, archives, projectFacts: facts };
  const { operationsFor } = operationsOver({ ...parts, reload: undefined }, () => inForce, opened);
  const closing = opened.move();
  return {
    operations: operationsFor(parts.person),
    dicomPort: undefined,
    dicomTlsPort: undefined,
    drain: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

/** Runs the pipeline. The DICOM listener opens last: when it accepts, everything is ready. */
async function openWorker(parts: Parts, opened: AsyncDisposableStack): Promise<Gateway> {
  const { settings, store, clock, random, logger, violations, worker, audit, metrics, reread } = parts;
  checkRoles(settings);
  const node = opened.use(await joinNodes(parts));
  opened.defer(() => violations.log(logger));
  const { trouble: storeTrouble } = opened.use(watchStore({ store, node: node.name, clock, logger }));
  const staging = opened.use(await openStaging(parts));
  await useProjectKeys(settings, store, worker, clock.nowMs());
  const outbox = await openOutbox({ path: join(settings.home, "outbox") });
  const sharedOutbox = openSharedOutbox(settings, { clock, metrics });
  const expectations = createExpectations(clock);
  const refusals = createRefusals();
  const paces = createPaces(settings, clock);
  // Who sends decides how often there is something to tell.
  const sparse = opened.use(createSparseLogger(logger));
  const receiver = { staging, expectations, refusals, logger: sparse };
  const receiving: Receiving = {
    expectations,
    paces,
    receive: (archive) =>
      receiveIntoStaging({ ...receiver, archiveOf: () => archive, paceOf: () => paces.of(archive) }),
    takerFor: (archive) => ({ ...receiver, pace: paces.of(archive), clock, random }),
  };
  const intake = await openIntake({ ...parts, logger: sparse, store: node.leasesOf(store) }, staging, opened);
  // The main thread is as busy as one of them: with a thread more they take turns, and each has engines of its own to warm.
  const threads = opened.use(createWorkerPool({ threads: Math.max(1, availableParallelism() - 1) }));
  const own = { ...parts, ...node.limits, receiving, intake, threads };
  const keeper = opened.use(createKeeper(await compose(settings, own), logger));
  opened.use(intake?.queue(askedWhile(keeper)));
  const services = pipelineOver({ ...parts, node }, keeper, { staging, outbox, sharedOutbox, refusals });
  let crew: Crew | undefined;
  const onReloaded = (reloaded: Settings): void => takeOver(reloaded, crew, intake);
  const reload = reread && createReload({ keeper, parts: own, paces, reread, onReloaded });
  const asked = { ...parts, reload, storeTrouble };
  const { operationsFor, contextFor } = operationsOver(asked, () => keeper.current, opened);
  for (const job of await outbox.jobs()) await outbox.remove(job);
  const sweep = { store, staging, clock };
  const { alone } = node;
  const house = { ...settings.staging, sweep, sharedOutbox, intake, alone, audit, actor: worker, metrics, logger };
  opened.use(keepHouse(house));
  opened.use(await keepPlaces({ ...parts, node, staging, outbox, intake }));
  let notifier: AsyncDisposable | undefined;
  // It tells of the end too: it ends after the workers.
  opened.defer(async () => notifier?.[Symbol.asyncDispose]());
  const fronts = await frontsOf(
    { ...parts, store: node.leasesOf(store), alone },
    { staging, operationsFor, takeParts: intake?.takeParts },
    opened,
  );
  const listener = opened.use(await listen(parts, { receiver, paces, intake, node }));
  const workers = await startWork({ ...parts, node }, services, opened);
  crew = workers;
  await keepOperations({ ...parts, alone }, contextFor(worker), opened);
  if (parts.mode === "serve" && hasRole(settings, "worker"))
    notifier = await openNotifier({ ...parts, node }, () => keeper.current.archives.keys());
  const firstToken = await fronts.makeFirstToken();
  const closing = opened.move();
  return {
    operations: operationsFor(parts.person),
    dicomPort: listener.port,
    dicomTlsPort: listener.tlsPort,
    imagingSourceUrl: fronts.imagingSourceUrl,
    facePorts: fronts.facePorts,
    httpPort: fronts.httpPort,
    firstToken,
    drain: async () => void (await Promise.all([workers.drain(), fronts.drain()])),
    ...(reload === undefined ? {} : { reload: () => reload(worker) }),
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  };
}

async function openStaging({ settings, disk, logger, metrics }: Parts): Promise<StagingArea> {
  const { path, reserveGigabytes, shred } = settings.staging;
  const area = await openStagingArea({ path, reserveBytes: reserveGigabytes * 1e9, disk, logger, shred });
  return meteredStaging(area, metrics);
}

/** Takes what archives send here, where that is this node's part. */
async function listen(
  { settings, logger, violations }: Parts,
  {
    receiver,
    paces,
    intake,
    node,
  }: {
    readonly receiver: ReceiverOptions;
    readonly paces: Paces;
    readonly intake: Intake | undefined;
    readonly node: GatewayNode;
  },
): Promise<Listener> {
  if (!hasRole(settings, "receiver")) return NO_LISTENER;
  const { archiveOf, ofSender: paceOf, noteSender } = paces;
  const listener = await openListener(settings, {
    store: receiveIntoStaging({
      ...receiver,
      takeUnasked: intake?.take,
      forward: node.forwarding?.forward,
      archiveOf,
      paceOf,
      noteSender,
    }),
    commitmentRequest: intake?.commitmentRequest,
    logger,
    onViolation: violations.note,
  });
  // Where there is one by TLS, the others come by no other.
  const port = listener.tlsPort ?? listener.port;
  if (port !== undefined) await node.listensAt(port);
  return listener;
}

/** What was reloaded, by those who do not ask for the settings each time. */
function takeOver(settings: Settings, crew: Crew | undefined, intake: Intake | undefined): void {
  if (settings.intake !== undefined) intake?.change(settings.intake);
  crew?.grow(settings);
}

/** Servers are loaded by who serves: verbs beside him start without them. */
async function frontsOf(
  parts: Parts & { readonly alone: Alone },
  within: {
    readonly staging: StagingArea;
    readonly operationsFor: (actor: Actor) => Operations;
    readonly takeParts: Intake["takeParts"] | undefined;
  },
  opened: AsyncDisposableStack,
): Promise<Fronts> {
  if (parts.mode !== "serve" || !hasRole(parts.settings, "http")) return NO_FRONTS;
  const { openFronts } = await import("./open-fronts.ts");
  return await openFronts(parts, within, opened);
}

/** What goes on by itself in a service, of what people began. */
async function keepOperations(
  { mode, settings, logger, alone }: Pick<Parts, "mode" | "settings" | "logger"> & { readonly alone: Alone },
  context: OperationsContext,
  opened: AsyncDisposableStack,
): Promise<void> {
  if (mode !== "serve" || !hasRole(settings, "worker")) return;
  opened.use(await alone.keep("standing", () => keepStanding(context, logger)));
  opened.use(await alone.keep("withdrawals", () => keepWithdrawals(context, logger)));
}

/** What can be asked, in the name of whoever asks; each time of what is in force then. */
function operationsOver(
  parts: Parts & Pick<OperationsContext, "reload" | "storeTrouble">,
  inForce: () => Pick<Composition, "settings" | "archives" | "projectFacts">,
  opened: AsyncDisposableStack,
): { contextFor(actor: Actor): OperationsContext; operationsFor(actor: Actor): Operations } {
  const { settings, store, clock, random, disk, logger, audit, reload, storeTrouble } = parts;
  const { sumOf } = opened.use(openScanFiles());
  const inquiries = opened.use(createInquiries({ clock, random }));
  const notifications = notificationFacts(settings, clock);
  const contextFor = (actor: Actor): OperationsContext => ({
    actor,
    store,
    audit,
    clock,
    random,
    disk,
    get archives() {
      return inForce().archives;
    },
    get settings() {
      return settingsInForce(inForce().settings);
    },
    get destinations() {
      return destinationFacts(inForce().settings);
    },
    get inspectors() {
      return destinationInspectors(inForce().settings);
    },
    get removals() {
      return destinationRemovals(inForce().settings);
    },
    withdrawn: withdrawnFacts(settings),
    get projects() {
      return inForce().projectFacts;
    },
    reload,
    storeTrouble,
    home: settings.home,
    inquiries,
    evidence: { keyFile: join(settings.home, "keys", "evidence.pem"), version: parts.version },
    staging: { path: settings.staging.path, reserveBytes: settings.staging.reserveGigabytes * 1e9 },
    ownAddress: settings.dicom,
    ...tlsListenerFacts(settings),
    // What is sent to a node that does not receive comes to another.
    listen: async () => (hasRole(settings, "receiver") ? await openRehearsalListener(settings, logger) : undefined),
    checks: ownChecks(settings, { store, clock, random }),
    notifications,
    scanFiles: { sumOf, lake: () => lakeOf(settings, parts.environment) },
  });
  return { contextFor, operationsFor: (actor) => createOperations(contextFor(actor)) };
}
