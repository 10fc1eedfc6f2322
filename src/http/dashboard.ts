import { createHash } from "node:crypto";
import { type Dirent, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { extname, join, relative, sep } from "node:path";
import type { FastifyReply, FastifyRequest } from "fastify";
import { systemCodeOf } from "../units/durable-files.ts";
import { PAGE_POLICY } from "./headers.ts";
import { unbuiltPage } from "./pages.ts";

/** Where `npm run prepare` builds it, and where the package has it. */
const BUILT_FOLDER = join(import.meta.dirname, "../../web/dist");
const START = "index.html";

const TYPES: Readonly<Record<string, string>> = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".md": "text/markdown; charset=utf-8",
  ".svg": "image/svg+xml",
  ".woff2": "font/woff2",
};

/** What the build put beside each file, the smallest first. */
const ENCODINGS = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
] as const;

/** The files that a browser runs; what each of its pages shows it asks of the API. */
export interface Dashboard {
  /** Every file that there is, as `/assets/a.js`; the page itself as `/`. */
  readonly paths: readonly string[];
  /** Answers with one of `paths`. */
  sendFile(path: string, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply>;
  /** Whether a browser was sent to an address that the page itself makes something of. */
  isPage(request: FastifyRequest): boolean;
}

interface KeptFile {
  readonly bytes: Buffer;
  readonly tag: string;
}

export function createDashboard(version: string, folder: string = BUILT_FOLDER): Dashboard {
  const files = filesIn(folder);
  const isBuilt = files.has(START);
  const kept = new Map<string, Promise<KeptFile>>();
  const load = (name: string): Promise<KeptFile> => {
    const known = kept.get(name);
    if (known !== undefined) return known;
    const file = readKept(join(folder, name));
    kept.set(name, file);
    // What could not be read, as too many files are open, is read anew when it is asked for again.
    file.catch(() => kept.delete(name));
    return file;
  };
  const shown = [...files].filter((name) => TYPES[extname(name)] !== undefined && name !== START);
  return {
    paths: ["/", ...shown.map((name) => `/${name}`)],
    isPage: ({ method, headers, url }) =>
      isBuilt && method === "GET" && (headers.accept ?? "").includes("text/html") && isPageAddress(url),
    async sendFile(path, request, reply) {
      const name = path === "/" ? START : path.slice(1);
      if (name === START) reply.header("content-security-policy", PAGE_POLICY);
      if (!isBuilt) return await reply.type("text/html; charset=utf-8").send(unbuiltPage(version));
      const encoding = ENCODINGS.find((each) => accepts(request, each.name) && files.has(name + each.extension));
      const { bytes, tag } = await load(name + (encoding?.extension ?? ""));
      reply.headers({ etag: tag, vary: "accept-encoding", "cache-control": cachingOf(name) });
      if (request.headers["if-none-match"]?.split(/,\s*/).includes(tag)) return await reply.code(304).send();
      if (encoding !== undefined) reply.header("content-encoding", encoding.name);
      return await reply.type(TYPES[extname(name)] ?? "application/octet-stream").send(bytes);
    },
  };
}

/** Names of files below assets/ have the digest of what is in them; the page says which there are. */
function cachingOf(name: string): string {
  if (name === START) return "no-store";
  return name.startsWith("assets/") ? "public, max-age=31536000, immutable" : "no-cache";
}

/** RFC 9110 12.5.3, as browsers write it: a coding that is named, and not with q=0. */
function accepts({ headers }: FastifyRequest, coding: string): boolean {
  return String(headers["accept-encoding"] ?? "")
    .split(",")
    .map((part) => part.trim().split(/\s*;\s*/))
    .some(([name, weight]) => name === coding && !/^q=0(?:\.0*)?$/.test(weight ?? ""));
}

/** Pages are named by words and ids: `/cohorts/c-1`. Below `/api/` is the API alone. */
function isPageAddress(url: string): boolean {
  const [path = ""] = url.split("?");
  return /^\/(?!(?:api|assets)\/)[a-z][a-z-]*(?:\/[\w.~-]{1,128}){0,3}$/.test(path) && path !== "/api";
}

function filesIn(folder: string): ReadonlySet<string> {
  const nameOf = (entry: Dirent): string => relative(folder, join(entry.parentPath, entry.name)).split(sep).join("/");
  try {
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
    return new Set(entries.filter((entry) => entry.isFile()).map(nameOf));
  } catch (thrown) {
    if (systemCodeOf(thrown) === "ENOENT") return new Set();
    throw thrown;
  }
}

async function readKept(path: string): Promise<KeptFile> {
  const bytes = await readFile(path);
  return { bytes, tag: `"${createHash("sha256").update(bytes).digest("base64url").slice(0, 22)}"` };
}
