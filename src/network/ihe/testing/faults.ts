import type { SyntheticInstance } from "../../../../test/peers/synthetic-studies.ts";
import type { RegistryError } from "../errors.ts";
import { RESPONSE_STATUS } from "../names.ts";
import type { AnswerPlan, PlannedPart } from "../responder/plan.ts";

/** One thing wrong, or odd, about an answer that was sound. */
export type Fault = (plan: AnswerPlan) => AnswerPlan;

export function bytesPart(part: PlannedPart, bytes: Uint8Array, more: PlannedPart["headers"] = []): PlannedPart {
  return {
    headers: [...part.headers.filter(([name]) => !more.some(([other]) => other === name)), ...more],
    sizeBytes: bytes.length,
    async *open() {
      yield bytes;
    },
  };
}

function alterPart(plan: AnswerPlan, index: number, alter: (part: PlannedPart) => PlannedPart): AnswerPlan {
  return { ...plan, parts: plan.parts.map((part, at) => (at === index ? alter(part) : part)) };
}

export function registryError(errorCode: string, location: string, severity: RegistryError["severity"] = "error") {
  return { errorCode, codeContext: "as a test has it", severity, location } as const;
}

/** A document that the source does not give, with what it says of it; the others come. */
export function missing(uid: string, errors: readonly RegistryError[]): Fault {
  return (plan) => {
    const index = plan.documents.findIndex(({ documentUniqueId }) => documentUniqueId === uid);
    return {
      ...plan,
      status: errors.length === 0 ? plan.status : RESPONSE_STATUS.partialSuccess,
      errors: [...plan.errors, ...errors],
      documents: plan.documents.toSpliced(index, 1),
      parts: plan.parts.toSpliced(index, 1),
    };
  };
}

/** Nothing is given. */
export function failure(errors: readonly RegistryError[], framing: AnswerPlan["framing"] = "multipart"): Fault {
  return (plan) => ({ ...plan, status: RESPONSE_STATUS.failure, errors, documents: [], parts: [], framing });
}

export function fault(
  code: "Sender" | "Receiver",
  httpStatus: number,
  framing: AnswerPlan["framing"] = "plain",
): Fault {
  return (plan) => ({
    ...plan,
    httpStatus,
    framing,
    documents: [],
    parts: [],
    fault: { code, subcode: "wsa:ActionNotSupported", reason: "as a test has it" },
  });
}

/** A part or its line in the envelope is lost, comes twice, or is not what it is said to be. */
export const partWithoutResponse: Fault = (plan) => ({ ...plan, documents: plan.documents.slice(1) });
export const responseWithoutPart: Fault = (plan) => ({ ...plan, parts: plan.parts.slice(1) });

export const duplicate: Fault = (plan) => ({
  ...plan,
  documents: [...plan.documents, ...plan.documents.slice(0, 1)],
  parts: [...plan.parts, ...plan.parts.slice(0, 1)],
});

export function unrequested(instance: SyntheticInstance): Fault {
  return (plan) => {
    const [document, part] = [plan.documents[0], plan.parts[0]];
    if (document === undefined || part === undefined) return plan;
    const more = { ...document, documentUniqueId: instance.sopInstanceUid, href: "cid:more@test" };
    return {
      ...plan,
      documents: [...plan.documents, more],
      parts: [...plan.parts, bytesPart(part, instance.file, [["Content-ID", "<more@test>"]])],
    };
  };
}

/** The first document holds these bytes instead of its own. */
export function content(bytes: Uint8Array): Fault {
  return (plan) => alterPart(plan, 0, (part) => bytesPart(part, bytes));
}

export const statusOf =
  (status: string, errors: readonly RegistryError[] = []): Fault =>
  (plan) => ({ ...plan, status, errors });

/** Something else than an answer. */
export function page(httpStatus: number, contentType: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return (plan) => ({ ...plan, httpStatus, contentType, headers, framing: "plain" });
}
