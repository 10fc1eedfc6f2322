/**
 * Text attributes that may stay, each with the form its whole value must have. Everything here is closed: a value is kept because every
 * part of it is a technical word or a short number of the lists below, never because it merely looks harmless.
 */
export type TextForm =
  /** Every word is in the vocabulary, or is a number of up to 3 digits, or such a number after a word's letters. */
  | {
      readonly kind: "words";
      /** Somebody wrote it about this image: words that somebody is called by are no chance. */
      readonly isWritten?: boolean;
    }
  /** Of the whole value, of up to `limit` characters (default: TEXT_FORM_LIMIT); `isOpen`: a profile's own, which may hold any word. */
  | { readonly kind: "pattern"; readonly pattern: TextPattern; readonly limit?: number; readonly isOpen?: boolean };

/** A regular expression, however it is matched. */
export interface TextPattern {
  readonly source: string;
  test(text: string): boolean;
}

export function isOpenForm(form: TextForm): boolean {
  return form.kind === "pattern" && form.isOpen === true;
}

/** Values longer than this are not looked at. */
export const TEXT_FORM_LIMIT = 64;

const WORDS = { kind: "words" } as const;
const WRITTEN = { kind: "words", isWritten: true } as const;

export const TEXT_FORMS: ReadonlyMap<number, TextForm> = new Map<number, TextForm>([
  [0x00080070, WORDS], // Manufacturer
  [0x00081090, WORDS], // Manufacturer's Model Name
  [0x00080201, { kind: "pattern", pattern: /^[+-](?:0[0-9]|1[0-4])[0-5][0-9]$/ }], // Timezone Offset From UTC
  [0x0040db00, { kind: "pattern", pattern: /^[0-9]{3,5}$/ }], // Template Identifier
  [
    0x00181020, // Software Versions
    {
      kind: "pattern",
      pattern:
        /^(?:syngo )?(?:(?:MR|CT|PET|XA|BM) )?(?:[A-Z]{0,2}[0-9]{1,2}(?:[._][0-9A-Z]{1,3}){0,3}|V[A-Z][0-9]{2}[A-Z](?:_SP[0-9]{2})?|20[0-9]{2}[A-Z])$/,
    },
  ],
  [
    0x00180024, // Sequence Name
    {
      kind: "pattern",
      pattern:
        /^\*?(?:ep|epfid|epse|epir|fi|fl|fm|gr|me|qfl|re|se|spc|spcir|spcR|tfi|tfl|tgse|tir|tse|tseR|tof)(?:_?[123]d)?_?[0-9]{0,3}(?:[a-z]{1,2})?(?:[_#][0-9]{1,3}[a-z]{0,2})?$/,
    },
  ],
  [
    0x00189005, // Pulse Sequence Name
    {
      kind: "pattern",
      pattern:
        /^\*?(?:(?:T1|T2|PC|B|Dwi|Dti|s?T[12]W?)?(?:SE|TSE|FSE|GRE|GE|IR|TIR|FFE|TFE|EPI|FEEPI|SEEPI|GraSE|MIXED|SSFP|TOF|UTE|bSSFP)|(?:ep|epfid|epse|fl|re|se|spc|tfl|tir|tse|tof)(?:_?[123]d)?_?[0-9]{0,3}[a-z]{0,2})$/i,
    },
  ],
  [0x00180085, { kind: "pattern", pattern: /^(?:1H|2H|3HE|7LI|13C|17O|19F|23NA|31P|39K|129XE)$/i }], // Imaged Nucleus
  [
    0x00181210,
    {
      kind: "pattern",
      pattern:
        /^(?:[A-Z][a-z]{0,2}[0-9]{2,3}[a-z]?|FC[0-9]{2}|STANDARD|STND|SOFT|LUNG|BONE|BONEPLUS|DETAIL|EDGE|CHEST|ULTRA|BODY|HEAD|SHARP|SMOOTH|MEDIUM|EB|YA|YB|YC|YD|[ABCD]|I[0-9]{2}[a-z])$/,
    },
  ], // Convolution Kernel
  [0x00181250, WORDS], // Receive Coil Name
  [0x00181251, WORDS], // Transmit Coil Name
  [0x00181160, WORDS], // Filter Type
  [0x00181040, WORDS], // Contrast/Bolus Route
  [0x00181070, WORDS], // Radiopharmaceutical Route
  [0x00181260, WORDS], // Plate Type
  [0x00181261, WORDS], // Phosphor Type
  [0x00185010, WORDS], // Transducer Data
  [0x00189041, WORDS], // Receive Coil Manufacturer Name
  [0x00189050, WORDS], // Transmit Coil Manufacturer Name
  [0x00209056, { kind: "pattern", pattern: /^[0-9]{1,3}$/ }], // Stack ID
  [0x00209421, WRITTEN], // Dimension Description Label
  [0x00281054, { kind: "pattern", pattern: /^(?:OD|HU|US|MGML|Z_EFF|ED|EDW|HU_MOD|PCT|UNSPECIFIED)$/i }], // Rescale Type
  [0x00281055, WRITTEN], // Window Center & Width Explanation
  [0x00283003, WRITTEN], // LUT Explanation
  [0x00283004, { kind: "pattern", pattern: /^(?:OD|HU|US|MGML|Z_EFF|ED|EDW|HU_MOD|PCT|UNSPECIFIED)$/i }], // Modality LUT Type
  [0x00409210, WRITTEN], // LUT Label
  [0x00541100, WORDS], // Randoms Correction Method
  [0x00541101, WORDS], // Attenuation Correction Method
  [0x00541103, WORDS], // Reconstruction Method
  [0x00541105, WORDS], // Scatter Correction Method
  [
    0x00200020,
    {
      kind: "pattern",
      pattern:
        /^(?:[LR]|[AP]|[HF]|[LR][AP]|[AP][LR]|[LR][HF]|[HF][LR]|[AP][HF]|[HF][AP]|[LR][AP][HF]|[AP][HF][LR]|[HF][LR][AP]|[AP][LR][HF]|[LR][HF][AP]|[HF][AP][LR])$/,
    },
  ], // Patient Orientation
]);

/** Manufacturers, product families and technical words, in lower case. */
export const TECHNICAL_WORDS: ReadonlySet<string> = new Set(
  `
  siemens healthineers healthcare medical systems ge gems philips toshiba canon hitachi fujifilm fuji fujian agfa gevaert carestream kodak konica
  minolta hologic lorad picker marconi elscint shimadzu united imaging uih neusoft mindray samsung esaote varian elekta accuray brainlab raysearch nucletron laboratories
  cms adac bruker biospin mediso mediso biograph acuson sonosite zonare supersonic planmeca vatech sirona trophy carestreamhealth swissray sedecal
  varex trixell del italray arcoma ziehm orthoscan quantum mevis mim icad mirada hermes nucleus
  corporation corp company co inc ltd gmbh ag kg llc bv se as sa spa nederland technologies technology solutions group international electronics europe
  somatom magnetom symbia mammomat axiom artis luminos ysio multix definition force drive edge flash plus sensation emotion spirit scope confidence perspective go now up
  top all sim naeotom alpha peak avanto aera skyra prisma fit verio trio tim espree symphony sonata vision allegra harmony concerto essenza spectra amira sola vida lumina
  altea sempra free max mmr ecat exact hr mct horizon vision quadra signa artist architect pioneer premier voyager explorer hdx hdxt excite genesis profile infinity
  discovery optima revolution brightspeed lightspeed highspeed prospeed cti fxi dxi qxi nxi zxi vct pro16 ultra ct mr pet st ste rx iq mi discoverymr infinia millennium ventri
  allura azurion clarity xper epiq affiniti iu22 ie33 logiq vivid voluson aplio xario arietta pheno icono zee
  senographe essential pristina ds definium xr brivo evo maxima frontier ascend apex elite hd
  ingenia achieva intera gyroscan panorama elition ambition prodiva multiva evolution gemini vereos allegro ingenuity brilliance iqon spectral incisive icon precedence
  access tf ict mx8000 idt bigbore bore big quasar digitaldiagnost ysio mobilediett
  aquilion asteion one prime lightning start genesis precision vantage titan galan orian atlas elan excelart activion xvision auklet celesteion cartesion
  scenaria supria eclos presto echelon oasis oval aperto airis altaire
  umr uct upmr umi upet fcr profect velocity dry fdr dr cr dx adc cassette idt
  selenia dimensions affirm lorad
  standard soft lung bone brain abdomen mediastinum head body chest spine pelvis liver angio window windows normal harder softer user min max linear
  lut label modality voi identity density optical hounsfield unit units houndsfield real world value
  coil receive transmit volume surface array matrix neck torso knee shoulder wrist breast cardiac phased quad quadrature flex loop large small birdcage channel
  curved linear convex sector probe transducer
  standardized uptake suv suvbw suvlbm suvbsa bw lbm bsa
  sense nv qbody q int hea hes hep nec spi bre bo bc ba tx rx tim trio ant post
  filter strip wedge butterfly multiple none flat bowtie fil medium air aluminum copper molybdenum rhodium silver tin
  iv oral rectal intravenous intraarterial po im sc injection
  fbp osem op psf tof 3d 2d 3drp vue point hd fx iterations subsets i s blob ordinary poisson ramla mlem ml em awosem lor ir is its subset iteration fore dift reprojection
  ac measured calculated mu map segmentation segmented attenuation cac ctac mrac smoothed transmission model based single scatter simulation relative scaled absolute convolution subtraction
  sss msss rel dlyd sing delayed event randoms singles estimation
  stack position in temporal index frame echo number effective time trigger delay nominal cardiac segment referenced row column plane image patient diffusion b gradient orientation
  dimension organization type phase volume numbers slice location
  fatsat fse se gre ge gr epi flair stir tse ffe tfe tir haste space spgr fspgr fgre vibe lava thrive bravo mprage swi pd dwi dti bold asl tof
  storage phosphor film screen plate general purpose high resolution
  `
    .trim()
    .split(/\s+/),
);
