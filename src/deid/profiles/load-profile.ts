import { GatewayError } from "../../errors/gateway-error.ts";
import type { Profile } from "./profile.ts";

/** @throws GatewayError PROFILE_UNKNOWN */
export function loadProfile(name: string): Profile {
  throw new GatewayError("PROFILE_UNKNOWN", { profile: name });
}
