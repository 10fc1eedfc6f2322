import { createHash } from "node:crypto";
import { GatewayError } from "../../errors/gateway-error.ts";
import { USUAL_PIXELS } from "../pixels/pixel-settings.ts";
import { compileRules } from "../rules/compiled-rules.ts";
import type { OptionName } from "./options.ts";
import { type OnReject, type Profile, USUAL_PSEUDONYMS } from "./profile.ts";

interface ShippedProfile {
  readonly version: number;
  readonly onReject: OnReject;
  readonly options: readonly OptionName[];
}

/** Options a profile names are options it applies: what the engine cannot do yet is not claimed and falls back to the basic profile. */
const SHIPPED: ReadonlyMap<string, ShippedProfile> = new Map([
  ["basic", { version: 1, onReject: "study", options: ["basic"] }],
  [
    "research",
    {
      version: 1,
      onReject: "instance",
      options: ["basic", "retain-longitudinal-modified-dates", "retain-patient-characteristics"],
    },
  ],
]);

/** @throws GatewayError PROFILE_UNKNOWN */
export function loadProfile(name: string): Profile {
  const shipped = SHIPPED.get(name);
  if (shipped === undefined) throw new GatewayError("PROFILE_UNKNOWN", { profile: name });
  const { version, onReject, options } = shipped;
  const rules = compileRules(options);
  const hash = createHash("sha256").update(JSON.stringify({ name, onReject, options, rules: rules.hash, version }));
  return {
    name,
    version,
    hash: hash.digest("hex"),
    onReject,
    options,
    rules,
    rulesFor: () => rules,
    filters: {},
    pseudonyms: USUAL_PSEUDONYMS,
    pixels: USUAL_PIXELS,
    sr: "exclude",
    documents: "reject",
    reviews: [],
  };
}
