import { z } from "zod";
import { type Route, route } from "../route.ts";
import { nameParameter } from "../schemas/fields.ts";
import { schemas } from "../schemas/schemas.ts";
import { newStanding } from "../schemas/standing-schemas.ts";

const tag = "Cohorts";
const params = z.object({ standing: nameParameter });
const errors = ["STANDING_NOT_FOUND"] as const;

/** Searches by a timetable. */
export const standingRoutes: readonly Route[] = [
  route({
    method: "POST",
    path: "/standing-cohorts",
    tag,
    summary: "Have a search asked again by a timetable, each time for what is new or changed",
    operation: "addStanding",
    status: 201,
    body: newStanding,
    answer: schemas.StandingCohort,
    errors: [
      ...(["PROJECT_UNKNOWN", "ARCHIVE_UNKNOWN", "SEARCH_QUERY_INVALID", "SEARCH_TOO_BROAD"] as const),
      ...(["QUERY_KEY_UNKNOWN", "QUERY_KEY_MALFORMED", "STANDING_NAME_TAKEN", "STANDING_TIMETABLE_INVALID"] as const),
      "STANDING_TOO_MANY",
    ],
    handle: ({ body }, { operations }) => operations.addStanding(body),
  }),
  route({
    method: "GET",
    path: "/standing-cohorts",
    tag,
    summary: "List standing cohorts, with when they run next and how they last ran",
    operation: "listStanding",
    answer: schemas.StandingCohortList,
    handle: async (_, { operations }) => ({ items: await operations.listStanding() }),
  }),
  route({
    method: "GET",
    path: "/standing-cohorts/{standing}",
    tag,
    summary: "Show a standing cohort with what it asks for, which may name patients, and its last runs",
    operation: "showStanding",
    params,
    answer: schemas.StandingCohortDetail,
    errors,
    handle: ({ path: { standing } }, { operations }) => operations.showStanding(standing),
  }),
  route({
    method: "POST",
    path: "/standing-cohorts/{standing}/pause",
    tag,
    summary: "Let no run of a standing cohort begin",
    operation: "pauseStanding",
    params,
    answer: schemas.StandingCohort,
    errors,
    handle: ({ path: { standing } }, { operations }) => operations.pauseStanding(standing),
  }),
  route({
    method: "POST",
    path: "/standing-cohorts/{standing}/resume",
    tag,
    summary: "Go on by the timetable; what was due meanwhile is not made up for",
    operation: "resumeStanding",
    params,
    answer: schemas.StandingCohort,
    errors,
    handle: ({ path: { standing } }, { operations }) => operations.resumeStanding(standing),
  }),
  route({
    method: "POST",
    path: "/standing-cohorts/{standing}/run",
    tag,
    summary: "Run a standing cohort now, as soon as its archive may be asked; one that is under way goes on",
    operation: "runStanding",
    status: 202,
    params,
    answer: schemas.StandingCohort,
    errors,
    handle: ({ path: { standing } }, { operations }) => operations.runStanding(standing),
  }),
  route({
    method: "DELETE",
    path: "/standing-cohorts/{standing}",
    tag,
    summary: "Remove a standing cohort; what it brought stays",
    operation: "removeStanding",
    params,
    answer: schemas.RemovedStandingCohort,
    errors,
    async handle({ path: { standing } }, { operations }) {
      await operations.removeStanding(standing);
      return { name: standing, removed: true } as const;
    },
  }),
];
