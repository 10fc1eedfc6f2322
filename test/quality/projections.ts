import { code, type Fields } from "./fields.ts";
import { acquired, pixels } from "./images.ts";
import { type Modality, masked, named, type Scene, STORAGE } from "./scene.ts";

interface Projection {
  readonly name: string;
  readonly sopClass: string;
  readonly modality?: string;
  readonly fields: (scene: Scene) => Fields;
}

/** Tube and detector of every projection. PS3.3 C.8.7.2, C.8.11.5. */
const EXPOSURE: Fields = {
  KVP: "80.5",
  ExposureTime: "12",
  XRayTubeCurrent: "320",
  Exposure: "4",
  ExposureInuAs: "3840",
  DistanceSourceToDetector: "1500",
  DistanceSourceToPatient: "1400",
  FilterMaterial: "ALUMINUM",
  FilterThicknessMinimum: "2.5",
  FilterThicknessMaximum: "2.5",
  FocalSpots: "0.6",
  Grid: "FOCUSED",
  ImagerPixelSpacing: "0.143\\0.143",
  ImageAndFluoroscopyAreaDoseProduct: "1.264",
};

/** DX Image, Detector and Anatomy modules. PS3.3 C.8.11. */
const digital = (scene: Scene): Fields => ({
  ...EXPOSURE,
  ImageType: "ORIGINAL\\PRIMARY\\",
  PresentationIntentType: "FOR PRESENTATION",
  PatientOrientation: "L\\F",
  ImageLaterality: "U",
  PixelIntensityRelationship: "LOG",
  PixelIntensityRelationshipSign: [1],
  RescaleIntercept: "0",
  RescaleSlope: "1",
  RescaleType: "US",
  PresentationLUTShape: "IDENTITY",
  WindowCenter: "2048",
  WindowWidth: "4096",
  DetectorType: "SCINTILLATOR",
  DetectorConfiguration: "AREA",
  DetectorActiveShape: "RECTANGLE",
  DetectorBinning: "1\\1",
  Sensitivity: "400",
  ExposureIndex: "412.5",
  TargetExposureIndex: "400",
  DeviationIndex: "0.1",
  FieldOfViewShape: "RECTANGLE",
  FieldOfViewOrigin: "0\\0",
  FieldOfViewRotation: "0",
  FieldOfViewHorizontalFlip: "NO",
  AnatomicRegionSequence: [code("51185008", "SCT", "Chest")],
  AcquisitionContextSequence: [],
  AcquisitionDeviceProcessingDescription: named(scene, "chest pa"),
});

const PROJECTIONS_MADE: readonly Projection[] = [
  {
    name: "DX",
    sopClass: "1.1",
    fields: (scene) => ({
      ...digital(scene),
      Manufacturer: "Agfa",
      ViewPosition: "PA",
      PositionerType: "NONE",
    }),
  },
  {
    name: "CR",
    sopClass: "1",
    fields: () => ({
      KVP: "70",
      Exposure: "5",
      Manufacturer: "FUJIFILM Corporation",
      ImageType: "DERIVED\\PRIMARY",
      BodyPartExamined: "CHEST",
      ViewPosition: "AP",
      Sensitivity: "213",
      RelativeXRayExposure: "210",
      PlateType: "ST",
      PatientOrientation: "L\\F",
      ImagerPixelSpacing: "0.1\\0.1",
      WindowCenter: "512",
      WindowWidth: "1024",
    }),
  },
  {
    name: "MG",
    sopClass: "1.2",
    fields: (scene) => ({
      ...digital(scene),
      Manufacturer: "HOLOGIC, Inc.",
      ManufacturerModelName: "Selenia Dimensions",
      ImageLaterality: "L",
      OrganExposed: "BREAST",
      PositionerType: "MAMMOGRAPHIC",
      PositionerPrimaryAngle: "-45.5",
      BodyPartThickness: "59",
      CompressionForce: "97.9",
      OrganDose: "0.0146",
      HalfValueLayer: "0.53",
      AnodeTargetMaterial: "TUNGSTEN",
      FilterMaterial: "RHODIUM",
      EntranceDoseInmGy: "6.1",
      ViewCodeSequence: [{ ...code("R-10226", "SRT", "medio-lateral oblique"), ViewModifierCodeSequence: [] }],
      AnatomicRegionSequence: [code("76752008", "SCT", "Breast")],
      BreastImplantPresent: "NO",
    }),
  },
  {
    name: "IO",
    sopClass: "1.3",
    fields: (scene) => ({
      ...digital(scene),
      Manufacturer: "Sirona",
      PositionerType: "NONE",
      AnatomicRegionModifierSequence: [],
      PrimaryAnatomicStructureSequence: [code("17505006", "SCT", "Deciduous maxillary right first molar tooth")],
    }),
  },
  {
    name: "PX",
    sopClass: "1.1",
    fields: (scene) => ({ ...digital(scene), Manufacturer: "Planmeca", PositionerType: "NONE", TableType: "FIXED" }),
  },
  {
    name: "XA",
    sopClass: "12.1",
    fields: () => ({
      ...pixels(8, 8),
      ...EXPOSURE,
      ImageType: masked("ORIGINAL\\PRIMARY\\SINGLE PLANE"),
      Manufacturer: "Philips Medical Systems",
      ManufacturerModelName: "Allura Xper",
      PixelIntensityRelationship: "LOG",
      RadiationSetting: "GR",
      PositionerMotion: "STATIC",
      PositionerPrimaryAngle: "-30.2",
      PositionerSecondaryAngle: "0.4",
      EstimatedRadiographicMagnificationFactor: "1.4",
      FieldOfViewDimensions: "230",
      DistanceSourceToIsocenter: "810",
      CineRate: "15",
      FrameTime: "66.6",
    }),
  },
  {
    name: "RF",
    sopClass: "12.2",
    fields: () => ({
      ...pixels(8, 8),
      ...EXPOSURE,
      ImageType: masked("ORIGINAL\\PRIMARY\\SINGLE PLANE"),
      Manufacturer: "SIEMENS",
      ManufacturerModelName: "AXIOM Luminos",
      PixelIntensityRelationship: "LIN",
      RadiationSetting: "SC",
      ColumnAngulation: "10",
    }),
  },
];

/** Images that X-rays throw on a plane. PS3.3 A.26, A.2, A.27, A.28, A.14, A.16. */
export const PROJECTIONS: readonly Modality[] = PROJECTIONS_MADE.map(({ name, sopClass, modality, fields }) => ({
  name,
  sopClassUid: STORAGE + sopClass,
  modality: modality ?? name,
  hasPixels: true,
  fields: (scene) => ({ ...acquired(scene), ...pixels(16, 12), ...fields(scene) }),
}));
