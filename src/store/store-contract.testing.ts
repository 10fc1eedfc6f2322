import { describe, it } from "vitest";
import { access } from "./contract/access.testing.ts";
import { acquisitions, exams } from "./contract/acquisitions.testing.ts";
import { archives } from "./contract/archives.testing.ts";
import { audit } from "./contract/audit.testing.ts";
import { cohorts } from "./contract/cohorts.testing.ts";
import { failures } from "./contract/failures.testing.ts";
import { forgottenNodes } from "./contract/forgotten-nodes.testing.ts";
import { inbox } from "./contract/inbox.testing.ts";
import { intake } from "./contract/intake.testing.ts";
import { journal } from "./contract/journal.testing.ts";
import { leases } from "./contract/leases.testing.ts";
import { linkage } from "./contract/linkage.testing.ts";
import { listing } from "./contract/listing.testing.ts";
import { locating } from "./contract/locating.testing.ts";
import { nodes } from "./contract/nodes.testing.ts";
import { notices } from "./contract/notices.testing.ts";
import { operating } from "./contract/operating.testing.ts";
import { overview } from "./contract/overview.testing.ts";
import { projectKeys } from "./contract/project-keys.testing.ts";
import { pseudonymLinks, releases } from "./contract/releases.testing.ts";
import { standing } from "./contract/standing.testing.ts";
import { studyReports } from "./contract/study-reports.testing.ts";
import type { ContractCases, StoreUnderTest } from "./contract/support.testing.ts";
import { tasks } from "./contract/tasks.testing.ts";
import { throughput, thumbnails } from "./contract/throughput.testing.ts";
import { widening } from "./contract/widening.testing.ts";
import { withdrawals } from "./contract/withdrawals.testing.ts";
import { withdrawnPlaces } from "./contract/withdrawn-places.testing.ts";

const CONTRACT: Readonly<Record<string, ContractCases>> = {
  "cohorts and joining": cohorts,
  widening: widening,
  listing: listing,
  leases: leases,
  "journal and ledger": journal,
  locating: locating,
  "retry and cancel": operating,
  "keys of projects": projectKeys,
  "audit trail": audit,
  releases: releases,
  "links of pseudonyms": pseudonymLinks,
  "conditions of archives": archives,
  "tasks of faces": tasks,
  "inbox of brokers": inbox,
  "studies sent unasked": intake,
  "standing cohorts": standing,
  "exams and devices": exams,
  "acquisitions of scanners": acquisitions,
  "tokens and repeated requests": access,
  "counters and changes": overview,
  notifications: notices,
  "failures by code": failures,
  throughput: throughput,
  thumbnails: thumbnails,
  "reports of studies": studyReports,
  "linkage of projects": linkage,
  "withdrawn patients": withdrawals,
  "places of withdrawn patients": withdrawnPlaces,
  "nodes and permits": nodes,
  "nodes that were given up": forgottenNodes,
};

/**
 * What every store keeps to, whatever it is made of. `open` gives an empty store for each case.
 * @param elsewhere titles of cases that a store's own tests have in another form
 */
export function describeStoreContract(
  name: string,
  open: () => Promise<StoreUnderTest>,
  elsewhere: readonly string[] = [],
): void {
  for (const [subject, cases] of Object.entries(CONTRACT)) {
    describe(`${name}: ${subject}`, () => {
      for (const [title, run] of Object.entries(cases)) {
        it.skipIf(elsewhere.includes(title))(title, async () => {
          await using opened = await open();
          await run(opened.store);
        });
      }
    });
  }
}
