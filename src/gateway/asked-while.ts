import type { Keeper } from "./keeper.ts";
import type { Intake } from "./open-intake.ts";

/** Archives of now, which stay open while they are asked. */
export function askedWhile(keeper: Keeper): Parameters<Intake["queue"]>[0] {
  return (name) => {
    const held = keeper.hold();
    const governed = keeper.current.archives.get(name)?.governed;
    if (governed === undefined) held[Symbol.dispose]();
    const { listStudy } = governed ?? {};
    return listStudy && { listStudy, [Symbol.dispose]: () => held[Symbol.dispose]() };
  };
}
