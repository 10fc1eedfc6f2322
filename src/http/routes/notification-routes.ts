import { z } from "zod";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { errorRegistry } from "../../errors/registry.ts";
import { type RequestContext, type Route, route } from "../route.ts";
import { nameParameter } from "../schemas/fields.ts";
import { schemas } from "../schemas/schemas.ts";

export const notificationRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/notifications",
    tag: "Operating",
    summary: "List the channels over which people are told what happens, and what waits for each",
    operation: "listChannels",
    answer: schemas.ChannelList,
    errors: ["PROJECTS_LIMITED"],
    handle: async (_, { operations }) => ({ items: await operations.listChannels() }),
  }),
  route({
    method: "POST",
    path: "/notifications/{name}/test",
    tag: "Operating",
    summary: "Send a test message over a channel",
    operation: "testChannel",
    isRepeatable: false,
    params: z.object({ name: nameParameter }),
    answer: schemas.ChannelTest,
    errors: ["NOTIFICATION_CHANNEL_UNKNOWN", "PROJECTS_LIMITED"],
    handle: ({ path: { name } }, context) => tested(context, name),
  }),
];

/** That it did not go through is what was asked. */
async function tested({ operations, services: { clock }, signal }: RequestContext, name: string) {
  const startedAtMs = clock.nowMs();
  try {
    return await operations.testChannel(name, { signal });
  } catch (thrown) {
    const { code, message } = toGatewayError(thrown);
    if (code === "NOTIFICATION_CHANNEL_UNKNOWN" || code === "PROJECTS_LIMITED" || code === "ROLE_INSUFFICIENT")
      throw thrown;
    const milliseconds = clock.nowMs() - startedAtMs;
    return { channel: name, ok: false, milliseconds, code, message, remedy: errorRegistry[code].remedy };
  }
}
