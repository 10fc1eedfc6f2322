import { code, date, emptied, type Fields, gone, type Planted, replaced, uid, unasked } from "./fields.ts";
import { type Modality, named, referenced, type Scene, STORAGE } from "./scene.ts";

function item(relationship: string, valueType: string, concept: Fields, values: Fields): Fields {
  return { RelationshipType: relationship, ValueType: valueType, ConceptNameCodeSequence: [concept], ...values };
}

/** One that goes whole. */
function lostItem(relationship: string, valueType: string, concept: Fields, values: Fields): Fields {
  return {
    RelationshipType: unasked(relationship),
    ValueType: unasked(valueType),
    ConceptNameCodeSequence: [unaskedAll(concept)],
    ...values,
  };
}

function unaskedAll(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([keyword, field]) => [keyword, typeof field === "string" ? unasked(field) : field]),
  );
}

function said({ tokens }: Scene): Planted {
  return gone(tokens.word("structured content"));
}

const DIAMETER = code("103339001", "SCT", "Long Axis");
const FINDING = code("121071", "DCM", "Finding");

function evidence(scene: Scene): Fields {
  return {
    StudyInstanceUID: uid(scene.studyInstanceUid),
    ReferencedSeriesSequence: [
      { ReferencedSOPSequence: [referenced(scene.image)], SeriesInstanceUID: uid(scene.imageSeriesInstanceUid) },
    ],
  };
}

/** What stays comes first: items that go would move the numbers of those behind. */
function measurements(scene: Scene): Fields {
  return item("CONTAINS", "CONTAINER", code("125007", "DCM", "Measurement Group"), {
    ContinuityOfContent: "SEPARATE",
    ContentSequence: [
      item("CONTAINS", "NUM", DIAMETER, {
        MeasuredValueSequence: [
          { MeasurementUnitsCodeSequence: [code("mm", "UCUM", "millimeter")], NumericValue: "31.4" },
        ],
        ContentSequence: [
          item("INFERRED FROM", "SCOORD", code("121055", "DCM", "Path"), {
            GraphicType: "POLYLINE",
            GraphicData: [1, 2, 11.5, 12.5],
            ContentSequence: [
              {
                RelationshipType: "SELECTED FROM",
                ValueType: "IMAGE",
                ReferencedSOPSequence: [referenced(scene.image)],
              },
            ],
          }),
        ],
      }),
      item("CONTAINS", "CODE", FINDING, {
        ConceptCodeSequence: [code("4147007", "SCT", "Mass")],
      }),
      lostItem("CONTAINS", "TEXT", code("121106", "DCM", "Comment"), { TextValue: said(scene) }),
    ],
  });
}

const report: Modality = {
  name: "SR",
  sopClassUid: `${STORAGE}88.33`,
  modality: "SR",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Siemens Healthineers",
    ContentDate: date(scene.date),
    ContentTime: "120000",
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [code("126000", "DCM", "Imaging Measurement Report")],
    ContinuityOfContent: "SEPARATE",
    ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: "1500" }],
    CompletionFlag: "COMPLETE",
    VerificationFlag: { text: "VERIFIED", checks: [{ category: "text not null" }] },
    VerifyingObserverSequence: [
      {
        VerifyingOrganization: said(scene),
        VerificationDateTime: { text: `${scene.date}121500`, checks: [{ category: "date shifted" }] },
        VerifyingObserverName: said(scene),
        VerifyingObserverIdentificationCodeSequence: [],
      },
    ],
    PerformedProcedureCodeSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [evidence(scene)],
    ContentSequence: [
      measurements(scene),
      item("HAS OBS CONTEXT", "UIDREF", code("121012", "DCM", "Device Observer UID"), { UID: uid(scene.tokens.uid()) }),
      item("CONTAINS", "DATETIME", code("111526", "DCM", "DateTime Started"), {
        DateTime: date(`${scene.date}093000`),
      }),
      item("CONTAINS", "TEXT", FINDING, { TextValue: named(scene, "mass in the right lung") }),
      lostItem("HAS OBS CONTEXT", "PNAME", code("121008", "DCM", "Person Observer Name"), { PersonName: said(scene) }),
      lostItem("CONTAINS", "CODE", code(scene.tokens.word("structured content").slice(0, 8), "99LOCAL", "Local"), {
        ConceptCodeSequence: [
          { CodeValue: unasked("L1"), CodingSchemeDesignator: unasked("99LOCAL"), CodeMeaning: said(scene) },
        ],
      }),
    ],
  }),
};

const keyObjects: Modality = {
  name: "KO",
  sopClassUid: `${STORAGE}88.59`,
  modality: "KO",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "GE Healthcare",
    ContentDate: date(scene.date),
    ContentTime: "120000",
    ReferencedPerformedProcedureStepSequence: [],
    CurrentRequestedProcedureEvidenceSequence: [evidence(scene)],
    ValueType: "CONTAINER",
    ConceptNameCodeSequence: [code("113000", "DCM", "Of Interest")],
    ContinuityOfContent: "SEPARATE",
    ContentTemplateSequence: [{ MappingResource: "DCMR", TemplateIdentifier: "2010" }],
    ContentSequence: [
      { RelationshipType: "CONTAINS", ValueType: "IMAGE", ReferencedSOPSequence: [referenced(scene.image)] },
      lostItem("CONTAINS", "TEXT", code("113012", "DCM", "Key Object Description"), { TextValue: said(scene) }),
    ],
  }),
};

function written({ tokens }: Scene): Planted {
  return gone(tokens.word("graphics and labels"));
}

const presentation: Modality = {
  name: "PR",
  sopClassUid: `${STORAGE}11.1`,
  modality: "PR",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Agfa",
    PresentationCreationDate: date(scene.date),
    PresentationCreationTime: "120100",
    ContentLabel: replaced(scene.tokens.word("graphics and labels")),
    ContentDescription: emptied(scene.tokens.word("graphics and labels")),
    ContentCreatorName: { text: scene.tokens.word("graphics and labels"), checks: [{ category: "tag retained" }] },
    PresentationLUTShape: "IDENTITY",
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: uid(scene.imageSeriesInstanceUid), ReferencedImageSequence: [referenced(scene.image)] },
    ],
    SoftcopyVOILUTSequence: [
      { WindowCenter: "40", WindowWidth: "400", ReferencedImageSequence: [referenced(scene.image)] },
    ],
    DisplayedAreaSelectionSequence: [
      {
        DisplayedAreaTopLeftHandCorner: [1, 1],
        DisplayedAreaBottomRightHandCorner: [32, 16],
        PresentationSizeMode: "SCALE TO FIT",
        PresentationPixelAspectRatio: "1\\1",
      },
    ],
    GraphicLayerSequence: [
      { GraphicLayer: written(scene), GraphicLayerOrder: "1", GraphicLayerDescription: written(scene) },
    ],
    GraphicAnnotationSequence: [
      {
        GraphicLayer: written(scene),
        GraphicObjectSequence: [
          {
            GraphicAnnotationUnits: "PIXEL",
            GraphicDimensions: 2,
            NumberOfGraphicPoints: 2,
            GraphicData: [1, 1, 20, 10],
            GraphicType: "POLYLINE",
            GraphicFilled: "N",
          },
        ],
        TextObjectSequence: [
          {
            UnformattedTextValue: written(scene),
            AnchorPoint: unasked([5, 5]),
            AnchorPointAnnotationUnits: unasked("PIXEL"),
            AnchorPointVisibility: unasked("N"),
          },
        ],
      },
    ],
  }),
};

const registration: Modality = {
  name: "REG",
  sopClassUid: `${STORAGE}66.1`,
  modality: "REG",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "BrainLAB",
    ContentDate: date(scene.date),
    ContentTime: "120200",
    ContentLabel: replaced(scene.tokens.word("graphics and labels")),
    ContentDescription: emptied(scene.tokens.word("graphics and labels")),
    ContentCreatorName: unasked(""),
    FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
    PositionReferenceIndicator: "",
    RegistrationSequence: [
      {
        FrameOfReferenceUID: uid(scene.frameOfReferenceUid),
        MatrixRegistrationSequence: [
          {
            MatrixSequence: [
              {
                FrameOfReferenceTransformationMatrix: "1\\0\\0\\3.5\\0\\1\\0\\-2\\0\\0\\1\\0.25\\0\\0\\0\\1",
                FrameOfReferenceTransformationMatrixType: "RIGID",
              },
            ],
            RegistrationTypeCodeSequence: [],
          },
        ],
        ReferencedImageSequence: [referenced(scene.image)],
      },
    ],
    ReferencedSeriesSequence: [
      { SeriesInstanceUID: uid(scene.imageSeriesInstanceUid), ReferencedInstanceSequence: [referenced(scene.image)] },
    ],
  }),
};

const realWorldValues: Modality = {
  name: "RWV",
  sopClassUid: `${STORAGE}67`,
  modality: "RWV",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "GE Healthcare",
    ContentDate: date(scene.date),
    ContentTime: "120300",
    ContentLabel: replaced(scene.tokens.word("graphics and labels")),
    ContentDescription: emptied(scene.tokens.word("graphics and labels")),
    ContentCreatorName: unasked(""),
    ReferencedImageRealWorldValueMappingSequence: [
      {
        ReferencedImageSequence: [referenced(scene.image)],
        RealWorldValueMappingSequence: [
          {
            RealWorldValueFirstValueMapped: [0],
            RealWorldValueLastValueMapped: [4095],
            RealWorldValueIntercept: 0,
            RealWorldValueSlope: 0.00031,
            LUTExplanation: "Standardized Uptake Value",
            LUTLabel: "SUV",
            MeasurementUnitsCodeSequence: [code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight")],
          },
        ],
      },
    ],
  }),
};

const waveform: Modality = {
  name: "ECG",
  sopClassUid: `${STORAGE}9.1.1`,
  modality: "ECG",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Mindray",
    ContentDate: date(scene.date),
    ContentTime: "120400",
    AcquisitionDateTime: date(`${scene.date}120350`),
    AcquisitionContextSequence: [],
    WaveformAnnotationSequence: [
      {
        ConceptNameCodeSequence: [code("8867-4", "LN", "Heart rate")],
        NumericValue: "71",
        MeasurementUnitsCodeSequence: [code("ms", "UCUM", "millisecond")],
        ReferencedWaveformChannels: [1, 0],
        AnnotationGroupNumber: 0,
      },
      {
        UnformattedTextValue: written(scene),
        ReferencedWaveformChannels: unasked([1, 0]),
        AnnotationGroupNumber: unasked([1]),
      },
    ],
    WaveformSequence: [
      {
        MultiplexGroupTimeOffset: "0",
        WaveformOriginality: "ORIGINAL",
        NumberOfWaveformChannels: 1,
        NumberOfWaveformSamples: 8,
        SamplingFrequency: "500",
        ChannelDefinitionSequence: [
          {
            ChannelLabel: written(scene),
            ChannelSourceSequence: [code("2:1", "MDC", "Lead I")],
            ChannelSensitivity: "4.88",
            ChannelSensitivityUnitsSequence: [code("uV", "UCUM", "microvolt")],
            ChannelSensitivityCorrectionFactor: "1",
            ChannelBaseline: "0",
            ChannelSampleSkew: "0",
            WaveformBitsStored: 16,
            FilterLowFrequency: "0.05",
            FilterHighFrequency: "150",
          },
        ],
        WaveformBitsAllocated: 16,
        WaveformSampleInterpretation: "SS",
        WaveformData: Uint8Array.from({ length: 16 }, (_, index) => index * 3),
      },
    ],
  }),
};

const document: Modality = {
  name: "PDF",
  sopClassUid: `${STORAGE}104.1`,
  modality: "DOC",
  hasPixels: false,
  fields: (scene) => ({
    InstanceNumber: "1",
    Manufacturer: "Canon",
    ConversionType: "WSD",
    ContentDate: date(scene.date),
    ContentTime: "120500",
    AcquisitionDateTime: date(`${scene.date}120500`),
    BurnedInAnnotation: unasked("YES"),
    DocumentTitle: gone(scene.tokens.word("document")),
    ConceptNameCodeSequence: [],
    MIMETypeOfEncapsulatedDocument: "application/pdf",
    EncapsulatedDocument: pdf(scene),
  }),
};

function pdf({ tokens }: Scene): Planted {
  const token = tokens.word("document");
  return gone(`%PDF-1.4\n% ${token}\n%%EOF\n`, token);
}

/** Objects without images of their own. PS3.3 A.35.3, A.35.4, A.33.1, A.39.1, A.46, A.34.3, A.45.1. */
export const DOCUMENTS: readonly Modality[] = [
  report,
  keyObjects,
  presentation,
  registration,
  realWorldValues,
  waveform,
  document,
];
