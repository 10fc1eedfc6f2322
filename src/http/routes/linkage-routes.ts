import { Readable } from "node:stream";
import { z } from "zod";
import { toGatewayError } from "../../errors/gateway-error.ts";
import { type Route, route } from "../route.ts";
import { nameParameter } from "../schemas/fields.ts";
import { destroyWish, linkageWish } from "../schemas/linkage-schemas.ts";
import { schemas } from "../schemas/schemas.ts";

const tag = "Projects";
const params = z.object({ project: nameParameter });
const UNREADABLE = ["PROJECT_UNKNOWN", "LINKAGE_NOT_KEPT", "LINKAGE_DESTROYED", "LINKAGE_UNREADABLE"] as const;

/** Who was who, for those who may know. */
export const linkageRoutes: readonly Route[] = [
  route({
    method: "GET",
    path: "/projects/{project}/linkage",
    tag,
    summary: "Give out every link of a project; that it was stands in the audit trail",
    operation: "exportLinkage",
    params,
    answer: { contentType: "text/csv", description: "CSV, UTF-8, the header first" },
    errors: UNREADABLE,
    async handle({ path: { project } }, { operations, reply, services }) {
      const lines = operations.exportLinkage(project)[Symbol.asyncIterator]();
      // What goes wrong before the first line is still an answer of its own.
      const first = await lines.next();
      async function* text(): AsyncGenerator<string> {
        for (let next = first; next.done !== true; next = await lines.next()) yield next.value;
      }
      reply.header("content-disposition", `attachment; filename="${project}-linkage.csv"`);
      return Readable.from(text()).on("error", (thrown) => {
        services.logger.warn("export was cut short", { code: toGatewayError(thrown).code });
      });
    },
  }),
  route({
    method: "POST",
    path: "/projects/{project}/linkage/lookup",
    tag,
    summary: "Tell who a pseudonym stands for, or what became of a patient; that it was told stands in the audit trail",
    operation: "lookUpLinkage",
    params,
    body: linkageWish,
    answer: schemas.Links,
    errors: UNREADABLE,
    handle: ({ path: { project }, body }, { operations }) => operations.lookUpLinkage(project, body),
  }),
  route({
    method: "POST",
    path: "/projects/{project}/linkage/destroy",
    tag,
    summary: "Destroy every link of a project for good, and prove it",
    operation: "destroyLinkage",
    params,
    body: destroyWish,
    answer: schemas.LinkageDestroyed,
    errors: ["PROJECT_UNKNOWN", "LINKAGE_NOT_KEPT"],
    handle: ({ path: { project }, body: { dryRun } }, { operations }) =>
      operations.destroyLinkage(project, { isRehearsal: dryRun }),
  }),
];
