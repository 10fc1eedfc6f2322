import { once } from "node:events";
import { loadSettings } from "../src/config/load-settings.ts";
import { openGateway } from "../src/gateway/open-gateway.ts";
import { silentLogger } from "../src/units/logger.ts";

/** `api-main.ts SETTINGS`: the gateway as `serve` runs it, for callers without the limit of requests; prints its port and a token. */
const [file = ""] = process.argv.slice(2);

const { settings } = await loadSettings({ file, environment: {}, cwd: process.cwd() });
const apiLimits = { requestsPerSecond: 1e6, burst: 1e6 };
await using gateway = await openGateway({ settings, mode: "serve", logger: silentLogger, apiLimits });
process.stdout.write(`${JSON.stringify({ port: gateway.httpPort, token: gateway.firstToken })}\n`);
await once(process, "SIGTERM");
