import type { z } from "zod";
import { ValidationFailure, type ValidationProblem, validated } from "./validation.ts";

/** A request before anything in it was looked at. */
export interface RawRequest {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
}

/** An address of a face, and what it works with. */
export interface Route<Context> {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** With `{names}`, and with or without a slash at its end, as the original has it. */
  readonly path: string;
  readonly tag: string;
  /** Of the original's function. */
  readonly name: string;
  readonly summary: string;
  /** Without a key or token. */
  readonly isOpen: boolean;
  readonly status: number;
  readonly parameters: { readonly path?: z.ZodObject | undefined; readonly query?: z.ZodObject | undefined };
  /** As the pages show it; undefined: none is read. */
  readonly body: z.ZodType | undefined;
  readonly answer: z.ZodType;
  /** The answer in JSON. @throws ValidationFailure, AnswerError, GatewayError */
  run(raw: RawRequest, context: Context): Promise<string>;
}

export interface RouteFacts<Context, P, Q, B, A> {
  readonly method: Route<unknown>["method"];
  readonly path: string;
  readonly tag: string;
  /** Of the original's function. */
  readonly name: string;
  readonly summary: string;
  readonly status?: number;
  /** Without a key or token. */
  readonly isOpen?: boolean;
  readonly params?: z.ZodType<P> & z.ZodObject;
  readonly query?: z.ZodType<Q> & z.ZodObject;
  readonly body?: z.ZodType<B>;
  /** Where the body is looked at by the handler. */
  readonly bodyInPages?: z.ZodType;
  readonly answer: z.ZodType<A>;
  readonly handle: (
    input: { readonly path: P; readonly query: Q; readonly body: B },
    context: Context,
  ) => Promise<unknown>;
  /** @default JSON.stringify */
  readonly write?: (answer: A) => string;
}

/**
 * A maker of routes that work with one context. Everything is looked at before anybody else hears of it; of what they say only what the
 * answer's model names goes on.
 */
export function routesWith<Context>() {
  return <A, P = undefined, Q = undefined, B = undefined>(facts: RouteFacts<Context, P, Q, B, A>): Route<Context> => {
    const { method, path, tag, name, summary, status = 200, isOpen = false, params, query, body, answer } = facts;
    const { write = JSON.stringify, bodyInPages = body } = facts;
    return {
      method,
      path,
      tag,
      name,
      summary,
      status,
      isOpen,
      parameters: { path: params, query },
      body: bodyInPages,
      answer,
      async run(raw, context) {
        const problems: ValidationProblem[] = [];
        const looked = <T>(schema: z.ZodType<T> | undefined, part: keyof RawRequest): T =>
          schema === undefined ? nothing<T>() : collected(problems, () => validated(schema, raw[part], part));
        const input = { path: looked(params, "path"), query: looked(query, "query"), body: looked(body, "body") };
        if (problems.length > 0) throw new ValidationFailure(problems);
        return write(answer.parse(await facts.handle(input, context)));
      },
    };
  };
}

/** What is wrong with one part does not hide what is wrong with another. */
function collected<T>(problems: ValidationProblem[], look: () => T): T {
  try {
    return look();
  } catch (thrown) {
    if (!(thrown instanceof ValidationFailure)) throw thrown;
    problems.push(...thrown.problems);
    return nothing<T>();
  }
}

/** Of a route without such a part, whose type is then undefined. */
function nothing<T>(): T {
  return undefined as T;
}
