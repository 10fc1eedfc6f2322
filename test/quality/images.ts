import { code, date, type Fields, uid, unasked } from "./fields.ts";
import { COLUMNS, type Modality, masked, mentioned, named, ROWS, type Scene, STORAGE } from "./scene.ts";

/** Image Pixel module, monochrome, one sample. PS3.3 C.7.6.3. */
export function pixels(bits: 8 | 16, bitsStored: number, frames = 1): Fields {
  const count = ROWS * COLUMNS * frames;
  const bytes = new Uint8Array((count * bits) / 8);
  for (let index = 0; index < count; index += 1) {
    const value = (index * 7 + 3) % 251;
    if (bits === 8) bytes[index] = value;
    else bytes[index * 2] = value;
  }
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    Rows: ROWS,
    Columns: COLUMNS,
    BitsAllocated: bits,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: 0,
    PixelData: bytes,
  };
}

/** Image Plane and Frame of Reference modules. PS3.3 C.7.6.2, C.7.4.1. */
function plane({ frameOfReferenceUid, instanceNumber }: Scene): Fields {
  return {
    FrameOfReferenceUID: uid(frameOfReferenceUid),
    PositionReferenceIndicator: "",
    ImagePositionPatient: `-158.135803\\-179.035797\\${instanceNumber * 2.5 - 75}`,
    ImageOrientationPatient: "1\\0\\0\\0\\1\\0",
    SliceThickness: "2.5",
    SliceLocation: `${instanceNumber * 2.5 - 75}`,
    PixelSpacing: "0.661468\\0.661468",
    PatientPosition: "HFS",
    PatientOrientation: "L\\P",
  };
}

export function acquired({ date: day, instanceNumber }: Scene): Fields {
  return {
    AcquisitionDate: date(day),
    AcquisitionTime: "101559.250000",
    ContentDate: date(day),
    ContentTime: "101601",
    AcquisitionNumber: "2",
    InstanceNumber: `${instanceNumber}`,
    BurnedInAnnotation: "NO",
    LossyImageCompression: "00",
  };
}

const HOUNSFIELD: Fields = { RescaleIntercept: "-1024", RescaleSlope: "1", RescaleType: "HU" };

const ct: Modality = {
  name: "CT",
  sopClassUid: `${STORAGE}2`,
  modality: "CT",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...plane(scene),
    ...pixels(16, 12),
    ...HOUNSFIELD,
    ImageType: "ORIGINAL\\PRIMARY\\AXIAL",
    Manufacturer: "SIEMENS",
    ManufacturerModelName: "SOMATOM Force",
    SoftwareVersions: "syngo CT VB20A",
    BodyPartExamined: "CHEST",
    ProtocolName: named(scene, "Chest routine low dose"),
    KVP: "120",
    ScanOptions: "HELICAL MODE",
    DataCollectionDiameter: "500",
    ReconstructionDiameter: "338",
    DistanceSourceToDetector: "1085.6",
    DistanceSourceToPatient: "595",
    GantryDetectorTilt: "0",
    TableHeight: "158",
    RotationDirection: "CW",
    ExposureTime: "500",
    XRayTubeCurrent: "210",
    Exposure: "105",
    ExposureInuAs: "105000",
    FilterType: "FLAT",
    GeneratorPower: "25",
    FocalSpots: "1.2",
    ConvolutionKernel: "B70f",
    SingleCollimationWidth: 0.6,
    TotalCollimationWidth: 38.4,
    TableSpeed: 46,
    TableFeedPerRotation: 23,
    SpiralPitchFactor: 0.6,
    CTDIvol: 6.87,
    WindowCenter: "-600\\40",
    WindowWidth: "1200\\400",
    WindowCenterWidthExplanation: "LUNG\\MEDIASTINUM",
    ContrastBolusVolume: "80",
    ContrastFlowRate: "3",
    ReferencedImageSequence: [mentioned(scene.image)],
  }),
};

const mr: Modality = {
  name: "MR",
  sopClassUid: `${STORAGE}4`,
  modality: "MR",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...plane(scene),
    ...pixels(16, 12),
    ImageType: "ORIGINAL\\PRIMARY\\M\\ND\\NORM",
    Manufacturer: "SIEMENS",
    ManufacturerModelName: "Prisma",
    SoftwareVersions: "syngo MR E11",
    BodyPartExamined: "BRAIN",
    ProtocolName: named(scene, "t1 mprage sag", "p2 iso"),
    ScanningSequence: "GR\\IR",
    SequenceVariant: "SK\\SP\\MP",
    ScanOptions: "IR\\WE",
    MRAcquisitionType: "3D",
    SequenceName: "*tfl3d1_16ns",
    AngioFlag: "N",
    RepetitionTime: "2300",
    EchoTime: "2.98",
    InversionTime: "900",
    NumberOfAverages: "1",
    ImagingFrequency: "123.258",
    ImagedNucleus: "1H",
    EchoNumbers: "1",
    MagneticFieldStrength: "3",
    SpacingBetweenSlices: "1.2",
    NumberOfPhaseEncodingSteps: "239",
    EchoTrainLength: "1",
    PercentSampling: "100",
    PercentPhaseFieldOfView: "93.75",
    PixelBandwidth: "240",
    ReceiveCoilName: "HEA;HEP",
    TransmitCoilName: "Body",
    AcquisitionMatrix: [0, 256, 240, 0],
    InPlanePhaseEncodingDirection: "ROW",
    FlipAngle: "9",
    VariableFlipAngleFlag: "N",
    SAR: "0.045",
    dBdt: "0",
    DiffusionBValue: 1000,
    DiffusionGradientOrientation: [0.6, 0.8, 0],
    TemporalPositionIdentifier: "1",
    TriggerTime: "0",
    WindowCenter: "305",
    WindowWidth: "643",
    EthnicGroup: "CAUCASIAN",
    SourceImageSequence: [mentioned(scene.image)],
  }),
};

const pt: Modality = {
  name: "PT",
  sopClassUid: `${STORAGE}128`,
  modality: "PT",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...plane(scene),
    ...pixels(16, 16),
    ImageType: "ORIGINAL\\PRIMARY",
    Manufacturer: "GE MEDICAL SYSTEMS",
    ManufacturerModelName: "Discovery MI",
    SoftwareVersions: "52.00",
    Units: "BQML",
    SUVType: "BW",
    CountsSource: "EMISSION",
    SeriesType: "WHOLE BODY\\IMAGE",
    NumberOfSlices: [1],
    CorrectedImage: "DECY\\ATTN\\SCAT\\DTIM\\NORM",
    RandomsCorrectionMethod: "SING",
    AttenuationCorrectionMethod: "CTAC measured",
    ScatterCorrectionMethod: "Model Based",
    ReconstructionMethod: "VUE Point FX",
    DecayCorrection: "START",
    CollimatorType: "NONE",
    FrameReferenceTime: "59900.1",
    ActualFrameDuration: "120000",
    ImageIndex: 1,
    DecayFactor: "1.00633",
    DoseCalibrationFactor: "1",
    ScatterFractionFactor: "0.32",
    DeadTimeFactor: "1.03",
    RescaleIntercept: "0",
    RescaleSlope: "1.27",
    RadiopharmaceuticalInformationSequence: [radiopharmaceutical(scene)],
    PatientOrientationCodeSequence: [
      {
        ...code("102538003", "SCT", "recumbent"),
        PatientOrientationModifierCodeSequence: [code("40199007", "SCT", "supine")],
      },
    ],
    PatientGantryRelationshipCodeSequence: [code("102540008", "SCT", "headfirst")],
  }),
};

/** What a standard uptake value is computed from, to the times of its injection. PS3.3 C.8.9.2. */
export function radiopharmaceutical({ date: day }: Scene): Fields {
  return {
    RadiopharmaceuticalStartTime: "091530.500",
    RadiopharmaceuticalStartDateTime: date(`${day}091530.50`),
    RadionuclideTotalDose: "370500000",
    RadionuclideHalfLife: "6586.2",
    RadionuclidePositronFraction: "0.967",
    RadiopharmaceuticalVolume: "5.2",
    RadionuclideCodeSequence: [code("77004003", "SCT", "^18^Fluorine")],
    RadiopharmaceuticalCodeSequence: [code("35321007", "SCT", "Fluorodeoxyglucose F^18^")],
  };
}

const nm: Modality = {
  name: "NM",
  sopClassUid: `${STORAGE}20`,
  modality: "NM",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...pixels(16, 16, 2),
    FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
    PositionReferenceIndicator: "",
    ImageType: "ORIGINAL\\PRIMARY\\STATIC\\EMISSION",
    Manufacturer: "SIEMENS NM",
    ManufacturerModelName: "Symbia",
    PixelSpacing: "4.7951998710632\\4.7951998710632",
    CountsAccumulated: "1203883",
    ActualFrameDuration: "480000",
    NumberOfFrames: "2",
    FrameIncrementPointer: [0x00540010, 0x00540020],
    EnergyWindowVector: [1, 1],
    NumberOfEnergyWindows: 1,
    DetectorVector: [1, 2],
    NumberOfDetectors: 2,
    ImageOrientationPatient: "",
    EnergyWindowInformationSequence: [
      { EnergyWindowRangeSequence: [{ EnergyWindowLowerLimit: "126.45", EnergyWindowUpperLimit: "154.55" }] },
    ],
    RadiopharmaceuticalInformationSequence: [
      { ...radiopharmaceutical(scene), RadiopharmaceuticalRoute: "IV", RadiopharmaceuticalStartTime: "0915" },
    ],
    DetectorInformationSequence: [
      { CollimatorType: "PARA", FocalDistance: "0", ZoomFactor: "1\\1", ScanArc: "180", AngularStep: "6" },
    ],
    PatientOrientationCodeSequence: [code("102538003", "SCT", "recumbent")],
    PatientGantryRelationshipCodeSequence: [code("102540008", "SCT", "headfirst")],
  }),
};

/** Text is burned into the upper rows of these; the rest must stay as it is. */
export const BANNER = { imageColumns: COLUMNS, x: 0, y: 0, width: COLUMNS, height: 4 } as const;

/** A frame with a camera's notes and somebody's comment before its scan. ISO/IEC 10918-1 B. */
function jpegFrame({ tokens }: Scene): Uint8Array {
  const segment = (marker: number, ...parts: readonly (Uint8Array | string)[]): Buffer => {
    const body = Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
    return Buffer.concat([Buffer.of(0xff, marker, (body.length + 2) >>> 8, (body.length + 2) & 0xff), body]);
  };
  const word = (): string => tokens.word("compressed frame");
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xe0, "JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
    segment(0xe1, `Exif\0\0MM\0*${word()}`),
    segment(0xe1, `http://ns.adobe.com/xap/1.0/\0<x>${word()}</x>`),
    segment(0xfe, word()),
    segment(0xdb, Buffer.alloc(65, 1)),
    // Baseline, 8 bits, 16 rows of 32 columns, one component.
    segment(0xc0, Buffer.of(8, 0, ROWS, 0, COLUMNS, 1, 1, 0x11, 0)),
    segment(0xda, Buffer.of(1, 1, 0, 0, 63, 0)),
    Buffer.of(0x12, 0xff, 0x00, 0x34, 0x56, 0x78, 0xff, 0xd9),
  ]);
}

const jpeg: Modality = {
  ...ct,
  name: "CT JPEG",
  fields: (scene) => ({
    ...ct.fields(scene),
    ...pixels(8, 8),
    LossyImageCompression: "01",
    LossyImageCompressionRatio: "8",
  }),
  compressed: { transferSyntaxUid: "1.2.840.10008.1.2.4.50", frame: jpegFrame },
};

const us: Modality = {
  name: "US",
  sopClassUid: `${STORAGE}6.1`,
  modality: "US",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...pixels(8, 8),
    BurnedInAnnotation: unasked("YES"),
    ImageType: masked("ORIGINAL\\PRIMARY\\ABDOMINAL"),
    Manufacturer: "Philips Medical Systems",
    ManufacturerModelName: "EPIQ",
    TransducerData: "CURVED LINEAR",
    NumberOfStages: "1",
    StageNumber: "1",
    MechanicalIndex: "1.1",
    BoneThermalIndex: "0.4",
    SoftTissueThermalIndex: "0.7",
    DepthOfScanField: "150",
    HeartRate: "71",
    SequenceOfUltrasoundRegions: [
      {
        RegionSpatialFormat: 1,
        RegionDataType: 1,
        RegionFlags: 0,
        RegionLocationMinX0: 0,
        RegionLocationMinY0: BANNER.height,
        RegionLocationMaxX1: COLUMNS - 1,
        RegionLocationMaxY1: ROWS - 1,
        PhysicalUnitsXDirection: 3,
        PhysicalUnitsYDirection: 3,
        PhysicalDeltaX: 0.0385,
        PhysicalDeltaY: 0.0385,
        TransducerFrequency: 3500,
      },
    ],
  }),
};

const sc: Modality = {
  name: "SC",
  sopClassUid: `${STORAGE}7`,
  modality: "OT",
  hasPixels: true,
  fields: (scene) => ({
    ...acquired(scene),
    ...pixels(8, 8),
    BurnedInAnnotation: unasked("YES"),
    ConversionType: "WSD",
    Manufacturer: "TOSHIBA",
    ManufacturerModelName: "Aquilion ONE",
    DateOfSecondaryCapture: date(scene.date),
    NominalScannedPixelSpacing: "0.2\\0.2",
    DerivationDescription: named(scene, "axial MIP"),
  }),
};

/** Images with rows and columns of one acquisition each. PS3.3 A.3, A.4, A.21, A.5, A.6, A.8. */
export const IMAGES: readonly Modality[] = [ct, mr, pt, nm, us, sc, jpeg];
