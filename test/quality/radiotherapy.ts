import { date, type Fields, gone, type Planted, uid } from "./fields.ts";
import { pixels } from "./images.ts";
import { type Modality, named, referenced, type Scene, STORAGE } from "./scene.ts";

/** A label that is not of the vocabulary: another one must be there. */
function label({ tokens }: Scene): Planted {
  const token = tokens.word("graphics and labels");
  const { checks } = gone(token);
  return { text: token, checks: [...checks, { category: "text not null" }] };
}

function labelled({ tokens }: Scene): Planted {
  return gone(tokens.word("graphics and labels"));
}

const structureSet: Modality = {
  name: "RTSTRUCT",
  sopClassUid: `${STORAGE}481.3`,
  modality: "RTSTRUCT",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Varian Medical Systems",
    StructureSetLabel: label(scene),
    StructureSetName: labelled(scene),
    StructureSetDescription: named(scene, "lung plan"),
    StructureSetDate: date(scene.date),
    StructureSetTime: "113000",
    ApprovalStatus: "UNAPPROVED",
    ReferencedFrameOfReferenceSequence: [
      {
        FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
        RTReferencedStudySequence: [
          {
            ReferencedSOPClassUID: "1.2.840.10008.3.1.2.3.1",
            ReferencedSOPInstanceUID: uid(scene.studyInstanceUid),
            RTReferencedSeriesSequence: [
              { SeriesInstanceUID: uid(scene.imageSeriesInstanceUid), ContourImageSequence: [referenced(scene.image)] },
            ],
          },
        ],
      },
    ],
    StructureSetROISequence: [
      {
        ROINumber: "1",
        ReferencedFrameOfReferenceUID: uid(scene.frameOfReferenceUid),
        ROIName: "GTV",
        ROIDescription: labelled(scene),
        ROIGenerationAlgorithm: "MANUAL",
        ROIVolume: "27.31",
      },
      {
        ROINumber: "2",
        ReferencedFrameOfReferenceUID: uid(scene.frameOfReferenceUid),
        ROIName: label(scene),
        ROIGenerationAlgorithm: "SEMIAUTOMATIC",
      },
    ],
    ROIContourSequence: [
      {
        ROIDisplayColor: "255\\0\\0",
        ReferencedROINumber: "1",
        ContourSequence: [
          {
            ContourImageSequence: [referenced(scene.image)],
            ContourGeometricType: "CLOSED_PLANAR",
            NumberOfContourPoints: "4",
            ContourData: "-20.5\\-20.5\\-72.5\\20.5\\-20.5\\-72.5\\20.5\\20.5\\-72.5\\-20.5\\20.5\\-72.5",
          },
        ],
      },
      { ROIDisplayColor: "0\\255\\0", ReferencedROINumber: "2" },
    ],
    RTROIObservationsSequence: [
      {
        ObservationNumber: "1",
        ReferencedROINumber: "1",
        ROIObservationLabel: labelled(scene),
        RTROIInterpretedType: "GTV",
        ROIInterpreter: gone(scene.tokens.word("graphics and labels")),
        ROIPhysicalPropertiesSequence: [{ ROIPhysicalProperty: "REL_ELEC_DENSITY", ROIPhysicalPropertyValue: "1.02" }],
      },
    ],
  }),
};

/** Machine, control points and leaves of a beam. PS3.3 C.8.8.14. */
function beam(scene: Scene): Fields {
  return {
    TreatmentMachineName: gone(scene.tokens.word("graphics and labels")),
    PrimaryDosimeterUnit: "MU",
    SourceAxisDistance: "1000",
    BeamNumber: "1",
    BeamName: gone(scene.tokens.word("graphics and labels")),
    BeamType: "STATIC",
    RadiationType: "PHOTON",
    TreatmentDeliveryType: "TREATMENT",
    NumberOfWedges: "0",
    NumberOfCompensators: "0",
    NumberOfBoli: "0",
    NumberOfBlocks: "0",
    FinalCumulativeMetersetWeight: "1",
    NumberOfControlPoints: "2",
    BeamLimitingDeviceSequence: [
      { RTBeamLimitingDeviceType: "MLCX", NumberOfLeafJawPairs: "2", LeafPositionBoundaries: "-200\\0\\200" },
    ],
    ControlPointSequence: [
      {
        ControlPointIndex: "0",
        NominalBeamEnergy: "6",
        DoseRateSet: "600",
        GantryAngle: "180",
        GantryRotationDirection: "NONE",
        BeamLimitingDeviceAngle: "0",
        BeamLimitingDeviceRotationDirection: "NONE",
        PatientSupportAngle: "0",
        PatientSupportRotationDirection: "NONE",
        IsocenterPosition: "0.5\\-12.5\\-72.5",
        CumulativeMetersetWeight: "0",
        BeamLimitingDevicePositionSequence: [
          { RTBeamLimitingDeviceType: "MLCX", LeafJawPositions: "-50\\-50\\50\\50" },
        ],
      },
      { ControlPointIndex: "1", CumulativeMetersetWeight: "1" },
    ],
  };
}

const plan: Modality = {
  name: "RTPLAN",
  sopClassUid: `${STORAGE}481.5`,
  modality: "RTPLAN",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Elekta",
    FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
    PositionReferenceIndicator: "",
    RTPlanLabel: label(scene),
    RTPlanName: labelled(scene),
    RTPlanDate: date(scene.date),
    RTPlanTime: "113500",
    PlanIntent: "CURATIVE",
    RTPlanGeometry: "PATIENT",
    PrescriptionDescription: named(scene, "lung 60 Gy"),
    ApprovalStatus: "UNAPPROVED",
    DoseReferenceSequence: [
      {
        DoseReferenceNumber: "1",
        DoseReferenceUID: uid(scene.tokens.uid()),
        DoseReferenceStructureType: "SITE",
        DoseReferenceDescription: labelled(scene),
        DoseReferenceType: "TARGET",
        TargetPrescriptionDose: "60",
      },
    ],
    FractionGroupSequence: [
      {
        FractionGroupNumber: "1",
        NumberOfFractionsPlanned: "30",
        NumberOfBeams: "1",
        NumberOfBrachyApplicationSetups: "0",
        ReferencedBeamSequence: [{ BeamDose: "2", BeamMeterset: "212.4", ReferencedBeamNumber: "1" }],
      },
    ],
    BeamSequence: [beam(scene)],
    PatientSetupSequence: [{ PatientSetupNumber: "1", PatientPosition: "HFS", SetupTechnique: "ISOCENTRIC" }],
    ReferencedStructureSetSequence: [
      { ReferencedSOPClassUID: `${STORAGE}481.3`, ReferencedSOPInstanceUID: uid(scene.tokens.uid()) },
    ],
  }),
};

const dose: Modality = {
  name: "RTDOSE",
  sopClassUid: `${STORAGE}481.2`,
  modality: "RTDOSE",
  hasPixels: true,
  fields: (scene): Fields => ({
    ...pixels(16, 16, 2),
    InstanceNumber: "1",
    Manufacturer: "RaySearch Laboratories",
    FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
    PositionReferenceIndicator: "",
    ImagePositionPatient: "-100\\-100\\-75",
    ImageOrientationPatient: "1\\0\\0\\0\\1\\0",
    PixelSpacing: "2.5\\2.5",
    SliceThickness: "",
    NumberOfFrames: "2",
    FrameIncrementPointer: [0x3004000c],
    DoseUnits: "GY",
    DoseType: "PHYSICAL",
    DoseComment: labelled(scene),
    DoseSummationType: "PLAN",
    GridFrameOffsetVector: "0\\2.5",
    DoseGridScaling: "0.00123456",
    TissueHeterogeneityCorrection: "IMAGE",
    ReferencedRTPlanSequence: [
      { ReferencedSOPClassUID: `${STORAGE}481.5`, ReferencedSOPInstanceUID: uid(scene.tokens.uid()) },
    ],
    DVHSequence: [
      {
        DVHType: "CUMULATIVE",
        DoseUnits: "GY",
        DoseType: "PHYSICAL",
        DVHDoseScaling: "1",
        DVHVolumeUnits: "CM3",
        DVHNumberOfBins: "2",
        DVHData: "0.1\\100\\0.1\\87.5",
        DVHMeanDose: "31.2",
        DVHReferencedROISequence: [{ DVHROIContributionType: "INCLUDED", ReferencedROINumber: "1" }],
      },
    ],
  }),
};

/** PS3.3 A.19, A.20, A.18. */
export const RADIOTHERAPY: readonly Modality[] = [structureSet, plan, dose];
