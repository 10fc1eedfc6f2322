import { expect, expectTypeOf, it } from "vitest";
import { z } from "zod";
import type * as documents from "../../operations/documents.ts";
import type { DeidReportDocument, ThroughputDocument } from "../../operations/insight-operations.ts";
import type { LinkageDestroyedDocument, LinkDocuments } from "../../operations/linkage-operations.ts";
import type {
  ScanResultVerdictDocument,
  ScanTaskDocument,
  ShownScanTaskDocument,
} from "../../operations/scanner-operations.ts";
import type { WithdrawalDocument } from "../../operations/withdrawal-operations.ts";
import { operationIdOf } from "../openapi.ts";
import { routes } from "../routes/routes.ts";
import { schemas } from "./schemas.ts";

/** Members that a document has and its schema lacks would be left out of every answer. */
type Lost<Document, Name extends keyof typeof schemas> = LostIn<Document, z.infer<(typeof schemas)[Name]>, "">;

/** Paths to members at any depth; records of any keys lose none. */
type LostIn<Document, Answer, Path extends string> = Document extends readonly (infer Item)[]
  ? Answer extends readonly (infer Other)[]
    ? LostIn<Item, Other, `${Path}[]`>
    : never
  : Document extends object
    ? string extends keyof Answer
      ? never
      : {
          [Key in keyof Document & string]: Key extends keyof Answer
            ? LostIn<NonNullable<Document[Key]>, NonNullable<Answer[Key]>, `${Path}.${Key}`>
            : `${Path}.${Key}`;
        }[keyof Document & string]
    : never;

it("has every member of the documents that operations give", () => {
  expectTypeOf<Lost<documents.StudyDocument, "Study">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.CohortDocument, "Cohort">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.SubmitDocument, "SubmittedCohort">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.CohortCheckDocument, "CohortCheck">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.ArchiveDocument, "Archive">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.OverviewDocument, "Overview">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.ProjectDocument, "Project">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.IdentityDocument, "Identity">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.NewTokenDocument, "NewToken">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.ReleaseResultDocument, "Release">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<DeidReportDocument, "DeidReport">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<ThroughputDocument, "Throughput">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<ScanTaskDocument, "ScanTask">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<ShownScanTaskDocument, "ShownScanTask">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<ScanResultVerdictDocument, "ScanResultVerdict">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.ReloadDocument, "Reload">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<LinkDocuments, "Links">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<WithdrawalDocument, "Withdrawal">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<LinkageDestroyedDocument, "LinkageDestroyed">>().toEqualTypeOf<never>();
  expectTypeOf<Lost<documents.AuditVerdictDocument, "AuditVerdict">>().toEqualTypeOf<never>();
});

it("gives every route a name of its own, and a schema that OpenAPI can say", () => {
  const names = routes.map(operationIdOf);
  expect(new Set(names).size).toBe(names.length);
  for (const schema of Object.values(schemas)) expect(() => z.toJSONSchema(schema)).not.toThrow();
});
