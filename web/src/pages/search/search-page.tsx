import "./search.css";
import { useState } from "preact/hooks";
import type { Project } from "../../api/documents.ts";
import { type ApiProblem, toProblem } from "../../api/problem.ts";
import { session } from "../../api/session-state.ts";
import { useData } from "../../api/use-data.ts";
import { useInquiry } from "../../api/use-inquiry.ts";
import { ErrorCard } from "../../components/error-card.tsx";
import { Page } from "../../components/page.tsx";
import { Outcome } from "./outcome.tsx";
import { SearchForm } from "./search-form.tsx";
import { bodyOf, EMPTY_WISH, type Wish } from "./wish.ts";

/** Asks an archive which studies it has; what is found is looked at, and chosen from, before anything is submitted. */
export function SearchPage() {
  const projects = useData<{ readonly items: readonly Project[] }>("/projects");
  const isLimited = typeof session.value === "object" && session.value.projects !== null;
  return (
    <Page title="Search">
      {projects.problem !== undefined && <ErrorCard problem={projects.problem} onRetry={projects.reload} />}
      {isLimited ? (
        <p class="notice">A search shows patients of every project: it takes a token that is for all of them.</p>
      ) : (
        projects.data !== undefined && (
          <Search projects={projects.data.items.filter(({ archives }) => archives.length > 0)} />
        )
      )}
    </Page>
  );
}

function Search({ projects }: { readonly projects: readonly Project[] }) {
  const [first] = projects;
  const [wish, setWish] = useState<Wish>(() => ({
    ...EMPTY_WISH,
    project: first?.name ?? "",
    archive: first?.archives[0] ?? "",
  }));
  const [asked, setAsked] = useState<Wish>();
  const [problem, setProblem] = useState<ApiProblem>();
  const { inquiry, items, begin, cancel } = useInquiry();
  const isBusy = asked !== undefined && problem === undefined && (inquiry === undefined || inquiry.state === "running");
  const search = (countOnly: boolean): void => {
    setAsked(wish);
    setProblem(undefined);
    begin("/cohorts/search", { body: { ...bodyOf(wish), countOnly } }).catch((thrown: unknown) =>
      setProblem(toProblem(thrown)),
    );
  };
  if (first === undefined) return <p class="notice">No project is configured that has an archive to search.</p>;
  return (
    <>
      <SearchForm
        projects={projects}
        wish={wish}
        isBusy={isBusy}
        onChange={(changes) => setWish((before) => ({ ...before, ...changes }))}
        onSearch={search}
      />
      {problem !== undefined && <ErrorCard problem={problem} />}
      {asked !== undefined && problem === undefined && inquiry?.kind === "search" && (
        <Outcome key={inquiry.id} inquiry={inquiry} items={items} wish={asked} onStop={cancel} />
      )}
    </>
  );
}
