import { seededRandom } from "../../../units/random.ts";
import { memoryStore } from "../../instance-files/incoming.ts";
import { type AnswerLimits, type Received, readAnswer, USUAL_ANSWER_LIMITS } from "../answer.ts";
import { bodyOf, contentTypeOf } from "../responder/answer-writer.ts";
import { decide, type ResponderRules } from "../responder/decide.ts";
import type { AnswerPlan, ResponderProfile } from "../responder/plan.ts";
import type { SoapAnswer } from "../soap-reader.ts";
import type { Fault } from "./faults.ts";
import { sourceOf } from "./instances.ts";

type Instances = Parameters<typeof sourceOf>[0];

/** The request that the answers here answer. */
const MESSAGE_ID = "urn:uuid:00000000-0000-4000-8000-000000000000";

/** The answer of our responder to a request for these. */
export async function planFor(held: Instances, profile: ResponderProfile = "ihe"): Promise<AnswerPlan> {
  const rules: ResponderRules = { profile, isLenient: false, repositoryUniqueId: undefined };
  const request = {
    action: undefined,
    messageId: MESSAGE_ID,
    replyTo: undefined,
    to: undefined,
    requests: 1,
    hasStrayText: false,
    documents: held.map(({ studyInstanceUid, seriesInstanceUid, sopInstanceUid }) => ({
      studyInstanceUid,
      seriesInstanceUid,
      documentUniqueId: sopInstanceUid,
      repositoryUniqueId: "1.2",
      homeCommunityId: undefined,
    })),
    transferSyntaxUids: held.map(({ transferSyntaxUid }) => transferSyntaxUid),
  };
  return await decide(request, sourceOf(held), rules, seededRandom(1));
}

export interface WrittenAnswer {
  readonly contentType: string;
  readonly body: Buffer;
}

export async function writtenAnswer(plan: AnswerPlan, alter: Fault = (same) => same): Promise<WrittenAnswer> {
  const altered = alter(plan);
  return { contentType: contentTypeOf(altered), body: Buffer.concat(await Array.fromAsync(bodyOf(altered))) };
}

export interface ReadResult {
  readonly received: readonly Received<Buffer>[];
  readonly answer: SoapAnswer | undefined;
  /** Bytes of the instances that were kept, by SOP Instance UID. */
  readonly files: ReadonlyMap<string, Buffer>;
  readonly error: unknown;
}

/** Reads an answer that comes in pieces of these sizes, the last one again and again. */
export async function readWritten(
  { contentType, body }: WrittenAnswer,
  held: Instances,
  sizes: readonly number[] = [65_536],
  limits: Partial<AnswerLimits> = {},
): Promise<ReadResult> {
  async function* pieces() {
    for (let at = 0, index = 0; at < body.length; index += 1) {
      const size = sizes[Math.min(index, sizes.length - 1)] ?? 1;
      yield body.subarray(at, at + size);
      at += size;
    }
  }
  const headers = new Map(contentType === "" ? [] : [["content-type", contentType]]);
  const asked = {
    messageId: MESSAGE_ID,
    instances: new Map(held.map((instance) => [instance.sopInstanceUid, instance])),
    transferSyntaxUids: undefined,
    store: memoryStore(1_000_000_000, () => new Error("too large")),
    limits: { ...USUAL_ANSWER_LIMITS, ...limits },
    signal: undefined,
  };
  const received: Received<Buffer>[] = [];
  const result = { received, files: new Map<string, Buffer>() };
  const response = { status: 200, headers, body: pieces(), [Symbol.asyncDispose]: () => Promise.resolve() };
  try {
    const coming = readAnswer(response, asked, 0);
    let next = await coming.next();
    for (; !next.done; next = await coming.next()) {
      received.push(next.value);
      if (next.value.kind === "instance") result.files.set(next.value.facts.sopInstanceUid, next.value.kept);
    }
    return { ...result, answer: next.value, error: undefined };
  } catch (error) {
    return { ...result, answer: undefined, error };
  }
}
