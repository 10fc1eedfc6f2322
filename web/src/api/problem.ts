/** What the API refused or could not do, in the words of its problem+json. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  /** Of docs/errors.md; UNREACHABLE where no answer came. */
  readonly code: string;
  /** What to do about it. */
  readonly remedy: string;
  /** Everything that is wrong with the request. */
  readonly problems: readonly string[];
  /** Ways to log in, where that is what is missing. */
  readonly ways: readonly WayIn[];

  constructor(facts: {
    readonly status: number;
    readonly code: string;
    readonly title: string;
    readonly remedy: string;
    readonly problems?: readonly string[];
    readonly ways?: readonly WayIn[];
  }) {
    super(facts.title);
    this.status = facts.status;
    this.code = facts.code;
    this.remedy = facts.remedy;
    this.problems = facts.problems ?? [];
    this.ways = facts.ways ?? [];
  }
}

export interface WayIn {
  readonly by: string;
  readonly name: string;
  readonly url: string;
}

/** Where the connection itself failed. */
export function unreachable(): ApiProblem {
  return new ApiProblem({
    status: 0,
    code: "UNREACHABLE",
    title: "the gateway does not answer",
    remedy: "look whether it runs and whether this computer reaches it; the page goes on by itself when it does",
  });
}

/** From an answer that is no success, whatever stands in it. */
export async function problemFrom(response: Response): Promise<ApiProblem> {
  const body = recordOf(await response.json().catch(() => undefined));
  return new ApiProblem({
    status: response.status,
    code: textOf(body.code) ?? `HTTP_${response.status}`,
    title: textOf(body.title) ?? `the answer was ${response.status}`,
    remedy: textOf(body.remedy) ?? "try again; if it stays, look into the gateway's log",
    problems: listOf(body.problems).map((each) => {
      const { at, message } = recordOf(each);
      return [textOf(at), textOf(message)].filter(Boolean).join(" ");
    }),
    ways: listOf(body.ways).flatMap((each) => {
      const { by, name, url } = recordOf(each);
      const way = { by: textOf(by), name: textOf(name), url: textOf(url) };
      return way.by && way.name && way.url ? [{ by: way.by, name: way.name, url: way.url }] : [];
    }),
  });
}

/** Anything thrown, as something to show. */
export function toProblem(thrown: unknown): ApiProblem {
  if (thrown instanceof ApiProblem) return thrown;
  return new ApiProblem({
    status: 0,
    code: "PAGE_FAILED",
    title: "the page could not do that",
    remedy: "reload it; if it stays, say so with the steps that led here",
  });
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
