import { type IntakeRule, readIntakeRules } from "../archive/intake/rules.ts";
import type { Settings } from "../config/settings.ts";
import type { DicomAddress } from "../dicom/ae-title.ts";
import { IMPLICIT_VR_LITTLE_ENDIAN } from "../dicom/dictionary/transfer-syntaxes.ts";
import { GatewayError } from "../errors/gateway-error.ts";
import { openAssociation } from "../network/dimse/association.ts";
import { STORAGE_COMMITMENT_SOP_CLASS } from "../network/dimse/service-classes.ts";
import type { OwnCheck } from "../operations/context.ts";
import type { TokenRecord } from "../store/access.ts";
import type { Store } from "../store/store.ts";
import { maySend } from "../units/actor.ts";
import type { Clock } from "../units/clock.ts";
import { silentLogger } from "../units/logger.ts";
import { isLoopback } from "../units/loopback.ts";
import { openRehearsalListener } from "./listener.ts";

type IntakeFacts = Pick<Settings, "home" | "dicom" | "intake">;

/** What `doctor` asks where studies are sent to us unasked: no archive has to be there for it. */
export function intakeChecks(
  settings: IntakeFacts,
  store: Pick<Store, "listTokens">,
  clock: Clock,
): readonly OwnCheck[] {
  const { intake, dicom } = settings;
  if (intake === undefined) return [];
  const { rules, commitTo } = intake;
  return [
    { what: "studies can be sent to our listener", examine: () => listening(settings) },
    { what: "rules of the intake can be used", examine: async () => usable(rules, await store.listTokens(), clock) },
    ...commitTo.map((address) => ({
      what: `${address.aeTitle} takes results of storage commitment`,
      examine: (signal: AbortSignal) => takesResults(dicom, address, signal),
    })),
  ];
}

/** @throws GatewayError LISTENER_PORT_IN_USE, and what keeps it from listening at all */
async function listening({ home, dicom }: IntakeFacts): Promise<string> {
  const { aeTitle, host, port, tls } = dicom;
  const free = await openRehearsalListener({ home, dicom }, silentLogger);
  await free?.[Symbol.asyncDispose]();
  const ports = [...(tls?.only === true ? [] : [`${port}`]), ...(tls === undefined ? [] : [`${tls.port} with TLS`])];
  const who = isLoopback(host) ? "from this machine alone" : "from other machines, too";
  const state = free === undefined ? "the service of this home listens" : "free until the service is started";
  return `${aeTitle} at ${host}, port ${ports.join(" and ")}: ${state}; ${who}`;
}

/** @throws GatewayError ACCEPTANCE_RULE_INVALID */
function usable(rules: readonly IntakeRule[], tokens: readonly TokenRecord[], clock: Clock): string {
  readIntakeRules(rules);
  const projects = new Set(rules.flatMap(({ project }) => project ?? []));
  const given = projects.size === 0 ? "none gives a study to a project" : `for ${[...projects].join(", ")}`;
  const told = rules.length === 0 ? "there are none: whatever is sent is held" : `${rules.length}, ${given}`;
  const alive = tokens.filter(
    ({ revokedAtMs, expiresAtMs }) => revokedAtMs === undefined && expiresAtMs > clock.nowMs(),
  );
  const senders = new Set(
    alive.filter(({ name, role }) => maySend({ name, role, kind: "token" })).map(({ name }) => name),
  );
  const missing = new Set(rules.flatMap(({ tokens: named = [] }) => named.filter((name) => !senders.has(name))));
  return missing.size === 0 ? told : `${told}; no token that may send is named ${[...missing].join(", ")}`;
}

/** Nothing is told; that an association is accepted for it is all. PS3.4 J.3.3. */
async function takesResults(
  { aeTitle }: Settings["dicom"],
  address: DicomAddress,
  signal: AbortSignal,
): Promise<string> {
  const transferSyntaxUids = [IMPLICIT_VR_LITTLE_ENDIAN];
  const contexts = [{ abstractSyntaxUid: STORAGE_COMMITMENT_SOP_CLASS, transferSyntaxUids, role: "scp" as const }];
  await using association = await openAssociation({ address, callingAeTitle: aeTitle, contexts, signal });
  if (association.acceptedContexts.length === 0)
    throw new GatewayError("NO_PRESENTATION_CONTEXT", { service: "N-EVENT-REPORT" });
  return `yes, at ${address.host}, port ${address.port}`;
}
