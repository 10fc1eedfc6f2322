import { GatewayError } from "../errors/gateway-error.ts";
import type { OperationsContext } from "./context.ts";
import type { ReloadDocument } from "./documents.ts";

/** @throws GatewayError SETTINGS_RELOAD_UNAVAILABLE, SETTINGS_…, PROJECT_KEY_…, and of whatever cannot be opened */
export async function reloadSettings({ reload, actor }: OperationsContext): Promise<ReloadDocument> {
  if (reload === undefined) throw new GatewayError("SETTINGS_RELOAD_UNAVAILABLE");
  return await reload(actor);
}
