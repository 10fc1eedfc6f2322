import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { runProgram } from "./process.ts";
import { findPythonPeers } from "./python-peers.ts";

/**
 * What an answer is held to. That whatever its document lets pass is taken is not among them: ids and cursors of this gateway's making cannot
 * be told by a schema.
 */
const CHECKS = [
  "not_a_server_error",
  "status_code_conformance",
  "content_type_conformance",
  "response_schema_conformance",
  "negative_data_rejection",
  "unsupported_method",
  "ignored_auth",
];

export interface FuzzOptions {
  readonly url: string;
  readonly token: string;
  /** `coverage`: the edges of each parameter; `fuzzing`: by chance; `stateful`: what one answer gives, another request takes. */
  readonly phases: readonly ("coverage" | "fuzzing" | "stateful")[];
  /** For each address. */
  readonly examples: number;
  readonly seed: number;
  readonly withoutPaths: readonly string[];
}

/** Asks an API whatever its own OpenAPI document allows and forbids. */
export async function fuzzApi(options: FuzzOptions): ReturnType<typeof runProgram> {
  const { url, token, phases, examples, seed, withoutPaths } = options;
  const interpreter = findPythonPeers();
  if (interpreter === undefined) throw new Error("schemathesis is not installed");
  const folder = await mkdtemp(join(tmpdir(), "schemathesis-"));
  // Python 3.11 reads its own source for the edges, and fails at times where two threads do.
  const workers = phases.includes("coverage") ? "1" : "2";
  const args = [
    ...["run", `${url}/openapi.json`, "--header", `Authorization: Bearer ${token}`, "--no-color"],
    ...["--phases", phases.join(","), "--max-examples", `${examples}`, "--seed", `${seed}`, "--workers", workers],
    ...["--checks", CHECKS.join(","), "--suppress-health-check", "all", "--request-timeout", "20"],
    ...withoutPaths.flatMap((path) => ["--exclude-path", path]),
  ];
  try {
    return await runProgram(join(dirname(interpreter), "schemathesis"), args, folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
