import type { Settings } from "../config/settings.ts";
import type { OwnCheck } from "../operations/context.ts";
import type { Store } from "../store/store.ts";
import type { Clock } from "../units/clock.ts";
import type { Random } from "../units/random.ts";
import { tryProjectKey } from "./compose-projects.ts";
import { hookChecks } from "./hook-checks.ts";
import { intakeChecks } from "./intake-checks.ts";
import { nodeChecks } from "./node-checks.ts";
import { notificationChecks } from "./open-notifications.ts";
import { oidcChecks } from "./open-oidc.ts";
import { sharedOutboxChecks } from "./open-shared-outbox.ts";
import { storeChecks } from "./open-store.ts";

/** What `doctor` asks of what the settings name beside archives and destinations. */
export function ownChecks(
  settings: Settings,
  { store, clock, random }: { readonly store: Store; readonly clock: Clock; readonly random: Random },
): readonly OwnCheck[] {
  return [
    ...storeChecks(settings, clock),
    ...keyChecks(settings, store, clock),
    ...sharedOutboxChecks(settings, random),
    ...oidcChecks(settings, clock),
    ...notificationChecks(settings, clock),
    ...hookChecks(settings),
    ...nodeChecks(settings, store, clock),
    ...intakeChecks(settings, store, clock),
  ];
}

/** Another key in the old one's place is well only until the next start. @throws GatewayError KEY_FILE_…, PROJECT_KEY_… by each check */
function keyChecks(settings: Pick<Settings, "projects">, store: Store, clock: Clock): readonly OwnCheck[] {
  return settings.projects.map((project) => ({
    what: `project ${project.name} has its key`,
    examine: async () => `yes, ${await tryProjectKey(settings, project, store, clock.nowMs())}`,
  }));
}
