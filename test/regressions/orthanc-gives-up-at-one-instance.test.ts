import { expect, it } from "vitest";
import { ctStudy, givesUpAt, studiesOf, submit, withArchive } from "../support/rehearsal.ts";

/** Orthanc 1.10.1 answers C000H to a whole study when one instance of it cannot be sent: nothing of the study used to arrive. */
it("a project that takes partial studies gets the others of a study with one unsendable instance", async () => {
  const study = ctStudy(51, 5);
  await withArchive(
    givesUpAt(study.instances[0]),
    [study],
    async ({ site }) => {
      await submit(site, [study], "--wait");
      expect(await studiesOf(site)).toMatchObject([
        { state: "delivered", verdict: "partial", expected: 5, delivered: 4 },
      ]);
    },
    { project: { partial: "deliver" } },
  );
});
