import { GatewayError } from "../../errors/gateway-error.ts";
import { archiveNamed } from "../archives.ts";
import type { ArchiveFacts, OperationsContext } from "../context.ts";
import type { SearchWish } from "./documents.ts";

/** @throws GatewayError PROJECT_UNKNOWN, ARCHIVE_UNKNOWN when it is none of the project's */
export function archiveOf(
  context: OperationsContext,
  { project, archive }: Pick<SearchWish, "project" | "archive">,
): ArchiveFacts {
  const facts = context.projects.get(project);
  if (facts === undefined) throw new GatewayError("PROJECT_UNKNOWN", { project });
  const named = archiveNamed(context, archive);
  if (!facts.archives.includes(archive)) throw new GatewayError("ARCHIVE_UNKNOWN", { archive });
  return named;
}
