/**
 * Units of measurement as UCUM writes them (PS3.16 CID 82 and the like), case and all: known atoms with the prefixes that images, doses and
 * laboratories use, and annotations of a closed list. Nothing else: three letters are a name sooner than a unit.
 */
const METRIC_ATOMS =
  "m g s l L Bq Ci Gy Sv R rad Hz Pa m[Hg] m[H2O] V A C F T G Wb eV J W N Ohm S K Cel mol eq osm U [iU] [IU] lm lx cd cal bar B B[mV] B[uV] dyn".split(
    " ",
  );
/** Written without a prefix. [Ch], [PRU], [wood'U], diop and ppm are what PS3.16 prints. */
const ATOMS =
  "1 % deg ' '' min h d wk mo a [pH] [degF] [ppm] [ppth] [diop] ppm diop [Ch] [PRU] [wood'U] [hnsf'U] [arb'U] [in_i] [ft_i] [lb_av] [mi_i] [car_Au]".split(
    " ",
  );
const PREFIXES = ["", ..."p n u m c d h k M G".split(" ")];
const FACTORS = ["10", "100", "1000", "10*", "10^"];
/** As PS3.16 writes a hundred in front of a unit. */
const HUNDRED = "[100]";
/** What is counted, and how a value was normalised. */
const ANNOTATIONS = new Set(
  "counts propcounts ratio score count pixels voxels Particles MU beats H.B. 0:1 SUVbw SUVlbm SUVlbm(James128) SUVlbm(Janma) SUVbsa SUVibw Tissue WetWeight DryWeight 1.73_m2".split(
    " ",
  ),
);

const UNITS: ReadonlySet<string> = new Set([
  ...METRIC_ATOMS.flatMap((atom) => PREFIXES.map((prefix) => prefix + atom)),
  ...ATOMS,
  ...FACTORS,
]);
/** A unit or factor, its exponent, its annotation; or an annotation alone. */
const TERM = /^(.*?)([+-]?[1-9][0-9]?)?(?:\{([^{}]{1,16})\})?$/;
const TERMS_LIMIT = 6;
const LONGEST = 32;

export function isUcumUnit(text: string): boolean {
  if (text === "" || text.length > LONGEST) return false;
  const terms = (text.startsWith("/") ? text.slice(1) : text).split(TERM_SEPARATOR);
  const numbers = terms.filter((term) => /^[0-9]+$/.test(term));
  return terms.length <= TERMS_LIMIT && numbers.length <= 1 && terms.every(isTerm);
}

/** A dot within an annotation is none. */
const TERM_SEPARATOR = /[./](?![^{]*\})/;

function isTerm(term: string): boolean {
  const text = term.startsWith(HUNDRED) ? term.slice(HUNDRED.length) : term;
  if (UNITS.has(text)) return true;
  const [, unit = "", exponent, annotation] = TERM.exec(text) ?? [];
  if (annotation !== undefined && !ANNOTATIONS.has(annotation)) return false;
  if (unit === "") return annotation !== undefined && exponent === undefined;
  return UNITS.has(unit) && (exponent === undefined || isExponentOf(unit, exponent));
}

/** Units are squared and cubed and seldom more; powers of ten count cells and molecules. */
function isExponentOf(unit: string, exponent: string): boolean {
  return unit.startsWith("10") ? unit !== "1000" : Math.abs(Number(exponent)) <= 5;
}
