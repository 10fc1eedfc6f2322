import { expect, it } from "vitest";
import { CODE_FORMS } from "./code-schemes.ts";

/** Units that PS3.16 prints, and what laboratories and planning systems write besides. */
const UNITS =
  `% /cm /min /s 1 10*23/ml 10-6.mm2/s Bq Bq/ml Cel Gy Gy/s Hz MBq MV MeV Sv [Ch] [PRU] [PRU]/m2 [arb'U] [hnsf'U] [mi_i]/h
  [wood'U] [wood'U]/m2 a cm cm/s cm2 cm2/ml cm2/ml{SUVbsa} cm3 d dB dB[mV] dB[uV] deg diop dm3 dyn.s.cm-5 dyn.s.cm-5/m2 g/ml{SUVbw}
  g/ml{SUVibw} g/ml{SUVlbm(James128)} g/ml{SUVlbm(Janma)} g/ml{SUVlbm} h kPa kV km/h m mCi mT mV mg/cm3 mg/min/ml mg/ml min
  ml/[100]g/min ml/[100]ml ml/g ml/min ml/min/g ml/s mm mm/s mm2 mm2/s mm3 mm[Hg] mmol/kg{WetWeight} mo ms ppm rad rad/s s s/mm2 uV um
  um2 um2/ms um2/s um3 umol/min/ml umol/ml wk {MU} {MU}/s {Particles}/[100]g{Tissue} {counts} {counts}/s {propcounts} {propcounts}/s
  {ratio} mg/dL mGy.cm kg/m2 mL/min/{1.73_m2} 10*3/uL {H.B.}/min {0:1} mmol/L [IU]/L mA.s dGy.m2`
    .trim()
    .split(/\s+/);
const NO_UNITS =
  `Li Bo Ng Min Kim Tom Mary El Ma Gal Brandybuck {counts}mary mm{Brandy} {Brandybuck} [Bo] 1950 12.11 1.1.1950 10.10 1.1.1 m.i.k
  4455667 10*4455 mm4455 {ratio}12 mm/Brandybuck`
    .trim()
    .split(/\s+/);

const fits = (scheme: string) => (value: string) => CODE_FORMS.get(scheme)?.test(value) === true;

it("know every unit that is one, and no name", () => {
  expect(UNITS.filter((unit) => !fits("UCUM")(unit))).toEqual([]);
  expect(NO_UNITS.filter(fits("UCUM"))).toEqual([]);
});

it("know concepts by their check digit, which other numbers lack", () => {
  expect(["39607008", "818983003", "12738006", "900000000000003001"].filter((value) => !fits("SCT")(value))).toEqual(
    [],
  );
  expect(["4455667", "39607009", "19500704", "02079460958", "000000"].filter(fits("SCT"))).toEqual([]);
  expect(["18748-4", "30525-0"].filter((value) => !fits("LN")(value))).toEqual([]);
  expect(["18748-5", "4455-7", "12-1950"].filter(fits("LN"))).toEqual([]);
});
