import { z } from "zod";
import { pythonFloat } from "../../fastapi/python-json.ts";
import { type Route, routesWith } from "../../fastapi/route.ts";
import { laxInteger, laxNumber } from "../../fastapi/validation.ts";
import { PRIORITIES } from "../intake/queues.ts";
import { rateRefused, workerDead } from "./errors.ts";
import { messageShape, messagesShape, postedMessages } from "./posted-messages.ts";

/** What the addresses of the imaging API work with. */
export interface PixlContext {
  readonly rate: PixlRate;
  /** Queues that nobody works off any more, though nobody asked for that; empty as long as all is well. */
  readonly dead: () => readonly string[];
  /** Resolves when they are kept. @returns how many were there already */
  keep(bodies: readonly Buffer[], priority: number): Promise<number>;
}

/** Messages a second, of both queues. */
export interface PixlRate {
  readonly perSecond: number;
  set(perSecond: number): Promise<void>;
}

const tag = "imaging-api";
const route = routesWith<PixlContext>();
const rateShape = z.object({ rate: laxNumber });
const keptShape = z.object({ accepted: z.int(), joined: z.int() });
const priority = laxInteger.pipe(z.int().min(PRIORITIES.lowest).max(PRIORITIES.highest)).default(PRIORITIES.lowest);

/** By their names in the page. */
export const schemas = { TokenRefreshUpdate: rateShape, Message: messageShape, KeptMessages: keptShape } as const;

/** Those of the original, and one more: its description promises an address for messages that its code does not have. */
export const routes: readonly Route<PixlContext>[] = [
  route({
    method: "GET",
    path: "/heart-beat",
    tag,
    name: "heart_beat",
    summary: "Health Check",
    isOpen: true,
    answer: z.string(),
    async handle(_, { dead }) {
      if (dead().length > 0) throw workerDead(dead());
      return "OK";
    },
  }),
  route({
    method: "POST",
    path: "/token-bucket-refresh-rate",
    tag,
    name: "update_tb_refresh_rate",
    summary: "Update the refresh rate in items per second",
    isOpen: true,
    body: rateShape,
    answer: z.string(),
    async handle({ body: { rate } }, context) {
      if (rate < 0) throw rateRefused(rate);
      // Of Python's two zeros the original knows one.
      await context.rate.set(rate + 0);
      return "Successfully updated the refresh rate";
    },
  }),
  route({
    method: "GET",
    path: "/token-bucket-refresh-rate",
    tag,
    name: "get_tb_refresh_rate",
    summary: "Get the refresh rate in items per second",
    isOpen: true,
    answer: z.object({ rate: z.number() }),
    handle: (_, { rate }) => Promise.resolve({ rate: rate.perSecond }),
    write: ({ rate }) => `{"rate":${pythonFloat(rate)}}`,
  }),
  route({
    method: "POST",
    path: "/messages",
    tag,
    name: "post_messages",
    summary: "Ask for studies: a Message, or a list of them",
    status: 202,
    query: z.object({ priority }),
    body: z.unknown(),
    bodyInPages: messagesShape,
    answer: keptShape,
    async handle({ query, body }, context) {
      const bodies = postedMessages(body);
      const joined = await context.keep(bodies, query.priority);
      return { accepted: bodies.length, joined };
    },
  }),
];
