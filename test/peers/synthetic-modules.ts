/** Text for text VRs, a number for US, items for sequences; by keyword. */
export interface Fields {
  readonly [keyword: string]: string | number | readonly Fields[];
}

export interface SliceFacts {
  readonly rows: number;
  readonly columns: number;
  readonly series: number;
  readonly number: number;
  readonly frameOfReferenceUid: string;
}

export type SyntheticModality = "CT" | "MR" | "PT" | "DX" | "US";

interface ModalityModule {
  readonly sopClassUid: string;
  readonly bytesPerPixel: 1 | 2;
  fields(slice: SliceFacts): Fields;
}

/** General Series, Equipment and Image modules. PS3.3 C.7.3.1, C.7.5.1, C.7.6.1. */
function general(slice: SliceFacts): Fields {
  return {
    SpecificCharacterSet: "ISO_IR 100",
    InstanceCreationDate: "20240120",
    Manufacturer: "SYNTHETIC",
    ManufacturerModelName: "Phantom One",
    SoftwareVersions: "1.0",
    SeriesDate: "20240120",
    AcquisitionDate: "20240120",
    ContentDate: "20240120",
    SeriesTime: "101600",
    AcquisitionTime: "101630",
    ContentTime: "101700",
    StudyDescription: "Thorax of a made-up person",
    SeriesDescription: `Series ${slice.series}`,
    BodyPartExamined: "CHEST",
    PatientAge: "061Y",
    PatientWeight: "71.5",
    AcquisitionNumber: "1",
  };
}

/** Image Plane and Frame of Reference modules. PS3.3 C.7.6.2, C.7.4.1. */
function plane({ number, frameOfReferenceUid }: SliceFacts): Fields {
  return {
    FrameOfReferenceUID: frameOfReferenceUid,
    PositionReferenceIndicator: "",
    ImagePositionPatient: `-100\\-100\\${number * 2.5}`,
    ImageOrientationPatient: "1\\0\\0\\0\\1\\0",
    SliceThickness: "2.5",
    SliceLocation: `${number * 2.5}`,
    PixelSpacing: "0.75\\0.75",
  };
}

/** Image Pixel module, 16 bit monochrome. PS3.3 C.7.6.3. */
function pixels16(bitsStored: number): Fields {
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: "MONOCHROME2",
    BitsAllocated: 16,
    BitsStored: bitsStored,
    HighBit: bitsStored - 1,
    PixelRepresentation: 0,
  };
}

function code(value: string, scheme: string, meaning: string): Fields {
  return { CodeValue: value, CodingSchemeDesignator: scheme, CodeMeaning: meaning };
}

/** The modality's own modules. PS3.3 A.3, A.4, A.21, A.26, A.6. */
export const MODALITIES: { readonly [M in SyntheticModality]: ModalityModule } = {
  CT: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.2",
    bytesPerPixel: 2,
    fields: (slice) => ({
      ...general(slice),
      ...plane(slice),
      ...pixels16(12),
      PatientPosition: "HFS",
      ImageType: "ORIGINAL\\PRIMARY\\AXIAL",
      KVP: "120",
      ConvolutionKernel: "B30f",
      RescaleIntercept: "-1024",
      RescaleSlope: "1",
      RescaleType: "HU",
      WindowCenter: "40",
      WindowWidth: "400",
    }),
  },
  MR: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.4",
    bytesPerPixel: 2,
    fields: (slice) => ({
      ...general(slice),
      ...plane(slice),
      ...pixels16(12),
      PatientPosition: "HFS",
      ImageType: "ORIGINAL\\PRIMARY\\M",
      ScanningSequence: "SE",
      SequenceVariant: "NONE",
      ScanOptions: "",
      MRAcquisitionType: "2D",
      RepetitionTime: "500",
      EchoTime: "12",
      EchoTrainLength: "1",
      MagneticFieldStrength: "3",
      FlipAngle: "90",
    }),
  },
  PT: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.128",
    bytesPerPixel: 2,
    fields: (slice) => ({
      ...general(slice),
      ...plane(slice),
      ...pixels16(16),
      ImageType: "ORIGINAL\\PRIMARY",
      Units: "BQML",
      CountsSource: "EMISSION",
      SeriesType: "STATIC\\IMAGE",
      NumberOfSlices: 1,
      CorrectedImage: "DECY\\ATTN",
      DecayCorrection: "START",
      CollimatorType: "NONE",
      FrameReferenceTime: "0",
      ActualFrameDuration: "60000",
      ImageIndex: 1,
      DecayFactor: "1",
      RescaleIntercept: "0",
      RescaleSlope: "1",
      RadiopharmaceuticalInformationSequence: [
        {
          RadionuclideTotalDose: "370000000",
          RadiopharmaceuticalStartTime: "091500",
          RadionuclideCodeSequence: [code("C-111A1", "SRT", "^18^Fluorine")],
        },
      ],
      PatientOrientationCodeSequence: [
        {
          ...code("F-10450", "SRT", "recumbent"),
          PatientOrientationModifierCodeSequence: [code("F-10340", "SRT", "supine")],
        },
      ],
      PatientGantryRelationshipCodeSequence: [code("F-10470", "SRT", "headfirst")],
    }),
  },
  DX: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.1.1",
    bytesPerPixel: 2,
    fields: (slice) => ({
      ...general(slice),
      ...pixels16(12),
      ImageType: "ORIGINAL\\PRIMARY\\",
      PresentationIntentType: "FOR PRESENTATION",
      PatientOrientation: "L\\F",
      ImageLaterality: "U",
      PixelIntensityRelationship: "LOG",
      PixelIntensityRelationshipSign: 1,
      RescaleIntercept: "0",
      RescaleSlope: "1",
      RescaleType: "US",
      PresentationLUTShape: "IDENTITY",
      LossyImageCompression: "00",
      BurnedInAnnotation: "NO",
      WindowCenter: "2048",
      WindowWidth: "4096",
      DetectorType: "DIRECT",
      ImagerPixelSpacing: "0.15\\0.15",
      KVP: "80",
      PositionerType: "NONE",
      AnatomicRegionSequence: [code("T-D3000", "SRT", "Chest")],
      AcquisitionContextSequence: [],
    }),
  },
  US: {
    sopClassUid: "1.2.840.10008.5.1.4.1.1.6.1",
    bytesPerPixel: 1,
    fields: (slice) => ({
      ...general(slice),
      ImageType: "ORIGINAL\\PRIMARY",
      SamplesPerPixel: 1,
      PhotometricInterpretation: "MONOCHROME2",
      BitsAllocated: 8,
      BitsStored: 8,
      HighBit: 7,
      PixelRepresentation: 0,
      BurnedInAnnotation: "YES",
      LossyImageCompression: "00",
      PatientOrientation: "",
    }),
  },
};
