import { GatewayError } from "../../errors/gateway-error.ts";
import type { HttpClient } from "../../network/http-client/types.ts";
import {
  clockAgrees,
  dqrSettings,
  isDqrEnabled,
  pacsAvailability,
  pingPacs,
  requireProject,
} from "../../network/rest/xnat/site.ts";
import type { Clock } from "../../units/clock.ts";
import { type LandingOptions, pacsIdOf, receiverOf } from "./landing.ts";

/** One thing that must be right before a study can move. */
export interface PreflightCheck {
  readonly what: string;
  /** What is right, in a few words. @throws GatewayError with what is wrong */
  examine(signal: AbortSignal): Promise<string>;
}

export interface PreflightOptions extends LandingOptions {
  readonly client: HttpClient;
  readonly project: string;
  readonly clock: Clock;
}

/** What an import by DQR needs, each asked for itself. It queues nothing; the PACS gets one C-ECHO. */
export function dqrPreflight(options: PreflightOptions): readonly PreflightCheck[] {
  const { client, project, clock } = options;
  return [
    {
      what: "has DQR, and lets our user use it",
      async examine(signal) {
        await dqrSettings(client, signal);
        return "yes";
      },
    },
    { what: "lets its project import by DQR", examine: (signal) => enabled(client, project, signal) },
    {
      what: "has a receiver for what DQR imports",
      async examine(signal) {
        const { aeTitle, port } = await receiverOf(client, options, signal);
        return `${aeTitle}:${port}`;
      },
    },
    {
      what: "has opening hours for the PACS behind it",
      async examine(signal) {
        const { ever, now } = await pacsAvailability(client, await pacsIdOf(client, options, signal), signal);
        if (!ever) throw new GatewayError("XNAT_PACS_CLOSED");
        return now ? "yes, open now" : "yes, closed now: imports wait";
      },
    },
    {
      what: "reaches the PACS behind it",
      async examine(signal) {
        const isThere = await pingPacs(client, await pacsIdOf(client, options, signal), signal);
        if (!isThere) throw new GatewayError("XNAT_PACS_SILENT");
        return "yes";
      },
    },
    { what: "has our time", examine: (signal) => clockAgrees(client, clock, signal) },
  ];
}

async function enabled(client: HttpClient, project: string, signal: AbortSignal): Promise<string> {
  await requireProject(client, project, signal);
  const { allowAllProjectsToUseDqr } = await dqrSettings(client, signal);
  if (`${allowAllProjectsToUseDqr}` === "true") return "yes, as every project";
  if (!(await isDqrEnabled(client, project, signal))) throw new GatewayError("XNAT_PROJECT_NOT_ENABLED", { project });
  return "yes";
}
