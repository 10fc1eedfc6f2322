import { code, date, emptied, type Fields, gone, uid, unasked } from "./fields.ts";
import { pixels, radiopharmaceutical } from "./images.ts";
import { COLUMNS, type Modality, named, ROWS, referenced, type Scene, STORAGE } from "./scene.ts";

const FRAMES = 2;

/** Multi-frame Dimension and the shared part of the functional groups. PS3.3 C.7.6.17, C.7.6.16. */
function dimensions(scene: Scene): Fields {
  const organization = scene.tokens.uid();
  return {
    NumberOfFrames: `${FRAMES}`,
    FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
    PositionReferenceIndicator: "",
    DimensionOrganizationSequence: [{ DimensionOrganizationUID: uid(organization) }],
    DimensionIndexSequence: [
      {
        DimensionOrganizationUID: uid(organization),
        DimensionIndexPointer: [0x00209057],
        FunctionalGroupPointer: [0x00209111],
        DimensionDescriptionLabel: "In-Stack Position Number",
      },
    ],
  };
}

/** One frame's place. PS3.3 C.7.6.16.2. */
function frame({ date: day }: Scene, index: number, more: Fields = {}): Fields {
  return {
    FrameContentSequence: [
      {
        FrameAcquisitionDateTime: date(`${day}10155${index}.25`),
        FrameReferenceDateTime: date(`${day}10155${index}.5`),
        FrameAcquisitionDuration: 500.5,
        DimensionIndexValues: [index + 1],
        StackID: "1",
        InStackPositionNumber: index + 1,
        TemporalPositionIndex: 1,
      },
    ],
    PlanePositionSequence: [{ ImagePositionPatient: `-120\\-110.5\\${index * 3}` }],
    ...more,
  };
}

/** What all frames share. PS3.3 C.7.6.16.2.1, C.7.6.16.2.4. */
const SHARED: Fields = {
  PixelMeasuresSequence: [{ SliceThickness: "3", PixelSpacing: "0.9375\\0.9375", SpacingBetweenSlices: "3.3" }],
  PlaneOrientationSequence: [{ ImageOrientationPatient: "1\\0\\0\\0\\1\\0" }],
  FrameVOILUTSequence: [{ WindowCenter: "40", WindowWidth: "400" }],
  FrameAnatomySequence: [{ FrameLaterality: "U", AnatomicRegionSequence: [code("51185008", "SCT", "Chest")] }],
};

function enhanced(scene: Scene): Fields {
  return {
    ...dimensions(scene),
    ...pixels(16, 12, FRAMES),
    InstanceNumber: `${scene.instanceNumber}`,
    ContentDate: date(scene.date),
    ContentTime: "101601",
    AcquisitionDateTime: date(`${scene.date}101559.25`),
    AcquisitionNumber: "1",
    AcquisitionDuration: 6.2,
    BurnedInAnnotation: "NO",
    LossyImageCompression: "00",
    PresentationLUTShape: "IDENTITY",
    PatientPosition: "HFS",
    PixelPresentation: "MONOCHROME",
    VolumetricProperties: "VOLUME",
    VolumeBasedCalculationTechnique: "NONE",
    SynchronizationFrameOfReferenceUID: uid(scene.tokens.uid()),
    AcquisitionContextSequence: [],
  };
}

const ect: Modality = {
  name: "ECT",
  sopClassUid: `${STORAGE}2.1`,
  modality: "CT",
  hasPixels: true,
  fields: (scene) => ({
    ...enhanced(scene),
    ImageType: "ORIGINAL\\PRIMARY\\VOLUME\\NONE",
    Manufacturer: "TOSHIBA",
    ManufacturerModelName: "Aquilion ONE",
    SoftwareVersions: "V4.74",
    ContentQualification: "RESEARCH",
    SharedFunctionalGroupsSequence: [
      {
        ...SHARED,
        CTAcquisitionTypeSequence: [
          { AcquisitionType: "SPIRAL", TubeAngle: 0, ConstantVolumeFlag: "NO", FluoroscopyFlag: "NO" },
        ],
        CTAcquisitionDetailsSequence: [
          {
            RotationDirection: "CW",
            RevolutionTime: 0.5,
            SingleCollimationWidth: 0.6,
            TotalCollimationWidth: 38.4,
            TableHeight: "150",
            GantryDetectorTilt: "0",
            DataCollectionDiameter: "500",
          },
        ],
        CTExposureSequence: [{ ExposureTimeInms: 500, XRayTubeCurrentInmA: 210, ExposureInmAs: 105, CTDIvol: 6.8 }],
        CTXRayDetailsSequence: [{ KVP: "120", FocalSpots: "1.2", FilterType: "FLAT", FilterMaterial: "ALUMINUM" }],
        CTReconstructionSequence: [
          {
            ReconstructionAlgorithm: "FILTER_BACK_PROJ",
            ConvolutionKernel: "FC08",
            ConvolutionKernelGroup: "SOFT_TISSUE",
            ReconstructionDiameter: "338",
            ReconstructionPixelSpacing: [0.66, 0.66],
          },
        ],
        CTImageFrameTypeSequence: [
          {
            FrameType: "ORIGINAL\\PRIMARY\\VOLUME\\NONE",
            PixelPresentation: "MONOCHROME",
            VolumetricProperties: "VOLUME",
            VolumeBasedCalculationTechnique: "NONE",
          },
        ],
        PixelValueTransformationSequence: [{ RescaleIntercept: "-1024", RescaleSlope: "1", RescaleType: "HU" }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [frame(scene, 0), frame(scene, 1)],
  }),
};

const emr: Modality = {
  name: "EMR",
  sopClassUid: `${STORAGE}4.1`,
  modality: "MR",
  hasPixels: true,
  fields: (scene) => ({
    ...enhanced(scene),
    ImageType: "ORIGINAL\\PRIMARY\\DIFFUSION\\NONE",
    Manufacturer: "Philips Medical Systems",
    ManufacturerModelName: "Ingenia",
    SoftwareVersions: "5.4.1\\5.4.1.2",
    ComplexImageComponent: "MAGNITUDE",
    AcquisitionContrast: "DIFFUSION",
    ResonantNucleus: "1H",
    MagneticFieldStrength: "3",
    KSpaceFiltering: "NONE",
    ApplicableSafetyStandardAgency: "IEC",
    PulseSequenceName: "DwiSE",
    ContentQualification: "PRODUCT",
    AcquisitionProtocolDescription: named(scene, "dwi axial"),
    SharedFunctionalGroupsSequence: [
      {
        ...SHARED,
        MRTimingAndRelatedParametersSequence: [
          { RepetitionTime: "3200", FlipAngle: "90", EchoTrainLength: "1", RFEchoTrainLength: [63] },
        ],
        MREchoSequence: [{ EffectiveEchoTime: 78.5 }],
        MRModifierSequence: [{ InversionRecovery: "YES", InversionTimes: [250.5], ParallelReductionFactorInPlane: 2 }],
        MRFOVGeometrySequence: [
          {
            InPlanePhaseEncodingDirection: "COLUMN",
            MRAcquisitionFrequencyEncodingSteps: [128],
            PercentSampling: "100",
          },
        ],
        MRReceiveCoilSequence: [
          { ReceiveCoilName: "HEAD SPINE", ReceiveCoilType: "MULTICOIL", QuadratureReceiveCoil: "NO" },
        ],
        MRAveragesSequence: [{ NumberOfAverages: "2" }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [0, 1000].map((bValue, index) =>
      frame(scene, index, {
        MRDiffusionSequence: [
          {
            DiffusionBValue: bValue,
            DiffusionDirectionality: "DIRECTIONAL",
            DiffusionGradientDirectionSequence: [{ DiffusionGradientOrientation: [0, 0.6, 0.8] }],
          },
        ],
        ReferencedImageSequence: [
          { ...referenced(scene.image), PurposeOfReferenceCodeSequence: [code("121324", "DCM", "Source Image")] },
        ],
      }),
    ),
  }),
};

const ept: Modality = {
  name: "EPT",
  sopClassUid: `${STORAGE}130`,
  modality: "PT",
  hasPixels: true,
  fields: (scene) => ({
    ...enhanced(scene),
    ImageType: "ORIGINAL\\PRIMARY\\VOLUME\\NONE",
    Manufacturer: "UIH",
    ManufacturerModelName: "uMI 780",
    ContentQualification: "PRODUCT",
    DecayCorrected: "YES",
    DecayCorrectionDateTime: date(`${scene.date}0915`),
    AttenuationCorrected: "YES",
    ScatterCorrected: "YES",
    RadiopharmaceuticalInformationSequence: [{ ...radiopharmaceutical(scene), RadiopharmaceuticalAgentNumber: [1] }],
    SharedFunctionalGroupsSequence: [{ ...SHARED }],
    PerFrameFunctionalGroupsSequence: [frame(scene, 0), frame(scene, 1)],
  }),
};

const spectroscopy: Modality = {
  name: "MRS",
  sopClassUid: `${STORAGE}4.2`,
  modality: "MR",
  hasPixels: false,
  fields: (scene) => ({
    ...dimensions(scene),
    InstanceNumber: "1",
    NumberOfFrames: "1",
    ContentDate: date(scene.date),
    ContentTime: "101601",
    AcquisitionDateTime: date(`${scene.date}101559.25`),
    ImageType: "ORIGINAL\\PRIMARY\\SPECTROSCOPY\\NONE",
    Manufacturer: "SIEMENS",
    ManufacturerModelName: "Prisma",
    Rows: 1,
    Columns: 1,
    DataPointRows: 1,
    DataPointColumns: 8,
    DataRepresentation: "COMPLEX",
    SignalDomainColumns: "TIME",
    NumberOfKSpaceTrajectories: [1],
    SpectroscopyAcquisitionDataColumns: 8,
    SpectralWidth: 2000,
    TransmitterFrequency: 123.258,
    ResonantNucleus: "1H",
    MagneticFieldStrength: "3",
    WaterReferencedPhaseCorrection: "NO",
    FirstOrderPhaseCorrection: "NO",
    VolumeLocalizationSequence: [{ SlabThickness: 20, SlabOrientation: [1, 0, 0], MidSlabPosition: [0, 10, 20] }],
    SharedFunctionalGroupsSequence: [{ PixelMeasuresSequence: [{ SliceThickness: "20", PixelSpacing: "20\\20" }] }],
    PerFrameFunctionalGroupsSequence: [frame(scene, 0)],
    SpectroscopyData: Array.from({ length: 16 }, (_, index) => index / 16),
  }),
};

const segmentation: Modality = {
  name: "SEG",
  sopClassUid: `${STORAGE}66.4`,
  modality: "SEG",
  hasPixels: true,
  fields: (scene) => ({
    ...dimensions(scene),
    ...pixels(8, 8, FRAMES),
    BitsAllocated: 1,
    BitsStored: 1,
    HighBit: 0,
    PixelData: Uint8Array.from({ length: (ROWS * COLUMNS * FRAMES) / 8 }, (_, index) => (index * 5) & 0xff),
    InstanceNumber: "1",
    ContentDate: date(scene.date),
    ContentTime: "101601",
    ImageType: "DERIVED\\PRIMARY",
    Manufacturer: "Siemens Healthineers",
    LossyImageCompression: "00",
    SegmentationType: "BINARY",
    ContentLabel: { text: "SEGMENTATION", checks: [{ category: "text not null" }] },
    ContentDescription: emptied(scene.tokens.word("graphics and labels")),
    ContentCreatorName: unasked(""),
    SegmentSequence: [
      {
        SegmentNumber: 1,
        SegmentLabel: "Lung",
        SegmentDescription: named(scene, "right lung"),
        SegmentAlgorithmType: "MANUAL",
        RecommendedDisplayCIELabValue: [34885, 53485, 50171],
        SegmentedPropertyCategoryCodeSequence: [code("91723000", "SCT", "Anatomical Structure")],
        SegmentedPropertyTypeCodeSequence: [code("39607008", "SCT", "Lung")],
        TrackingID: gone(scene.tokens.word("graphics and labels")),
        TrackingUID: uid(scene.tokens.uid()),
      },
    ],
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: uid(scene.imageSeriesInstanceUid), ReferencedInstanceSequence: [referenced(scene.image)] },
    ],
    SharedFunctionalGroupsSequence: [
      {
        PixelMeasuresSequence: [{ SliceThickness: "2.5", PixelSpacing: "0.661468\\0.661468" }],
        PlaneOrientationSequence: [{ ImageOrientationPatient: "1\\0\\0\\0\\1\\0" }],
      },
    ],
    PerFrameFunctionalGroupsSequence: [0, 1].map((index) => ({
      FrameContentSequence: [{ DimensionIndexValues: [index + 1] }],
      PlanePositionSequence: [{ ImagePositionPatient: `-158\\-179\\${index * 2.5}` }],
      SegmentIdentificationSequence: [{ ReferencedSegmentNumber: 1 }],
      DerivationImageSequence: [
        {
          DerivationCodeSequence: [code("113076", "DCM", "Segmentation")],
          SourceImageSequence: [
            {
              ...referenced(scene.image),
              PurposeOfReferenceCodeSequence: [code("121322", "DCM", "Source image for image processing operation")],
            },
          ],
        },
      ],
    })),
  }),
};

/** Objects whose frames are told by functional groups. PS3.3 A.38, A.36, A.56, A.36.3, A.51. */
export const ENHANCED: readonly Modality[] = [ect, emr, ept, spectroscopy, segmentation];
