const PLANE = "ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness FrameOfReferenceUID";
const IMAGE = "Rows Columns BitsAllocated BitsStored HighBit PixelRepresentation PhotometricInterpretation PixelData";
const RESCALE = "RescaleIntercept RescaleSlope";
const WINDOW = "WindowCenter WindowWidth";
const CODE = "CodeValue CodingSchemeDesignator CodeMeaning";
const REFERENCE = "ReferencedSOPClassUID ReferencedSOPInstanceUID";
const EXPOSURE = "KVP ExposureTime XRayTubeCurrent Exposure DistanceSourceToDetector";
const PROJECTION = `${IMAGE} ${EXPOSURE} ImagerPixelSpacing FocalSpots Grid`;
const DIGITAL = `${PROJECTION} ${RESCALE} RescaleType ${WINDOW} CodeValue CodingSchemeDesignator PixelIntensityRelationship ExposureIndex DeviationIndex DetectorType`;
const TRACER =
  "RadionuclideTotalDose RadionuclideHalfLife RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime RadionuclideCodeSequence";
const FRAMES =
  "NumberOfFrames SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence FrameContentSequence DimensionIndexValues DimensionIndexPointer FunctionalGroupPointer DimensionOrganizationUID ImagePositionPatient";
const SHARED = "PixelMeasuresSequence PixelSpacing SliceThickness";
const ORIENTED = `${SHARED} PlaneOrientationSequence ImageOrientationPatient`;
const REPORT = `ContentSequence ConceptNameCodeSequence ValueType RelationshipType ${CODE} ${REFERENCE} CurrentRequestedProcedureEvidenceSequence`;

/** What an object is worthless for research without, by kind of object: geometry, physics of the acquisition, units, structure, references. */
export const MUST_STAY: Readonly<Record<string, string>> = {
  CT: `ImageType ${PLANE} ${IMAGE} ${RESCALE} RescaleType ${WINDOW} ${EXPOSURE} ConvolutionKernel ReconstructionDiameter GantryDetectorTilt SpiralPitchFactor CTDIvol PatientPosition`,
  "CT JPEG": `${PLANE} ${IMAGE} ${RESCALE} ${EXPOSURE} LossyImageCompression LossyImageCompressionRatio`,
  MR: `ImageType ${PLANE} ${IMAGE} ${WINDOW} RepetitionTime EchoTime InversionTime FlipAngle MagneticFieldStrength EchoTrainLength ScanningSequence SequenceVariant SequenceName AcquisitionMatrix PixelBandwidth DiffusionBValue DiffusionGradientOrientation ImagingFrequency`,
  PT: `ImageType ${PLANE} ${IMAGE} ${RESCALE} ${TRACER} ${CODE} Units DecayCorrection DecayFactor FrameReferenceTime ActualFrameDuration DoseCalibrationFactor CorrectedImage ReconstructionMethod AcquisitionDate AcquisitionTime SeriesTime`,
  NM: `${IMAGE} PixelSpacing ${TRACER} ActualFrameDuration CountsAccumulated EnergyWindowLowerLimit EnergyWindowUpperLimit EnergyWindowVector DetectorVector FrameIncrementPointer`,
  US: `${IMAGE} SequenceOfUltrasoundRegions PhysicalDeltaX PhysicalDeltaY PhysicalUnitsXDirection RegionLocationMaxX1 MechanicalIndex`,
  SC: `${IMAGE} ConversionType NominalScannedPixelSpacing`,
  XA: `${PROJECTION} PositionerPrimaryAngle PositionerSecondaryAngle DistanceSourceToIsocenter FrameTime RadiationSetting`,
  RF: `${PROJECTION} RadiationSetting`,
  DX: `${DIGITAL} ViewPosition`,
  CR: `${IMAGE} KVP Exposure ImagerPixelSpacing ViewPosition ${WINDOW} RelativeXRayExposure`,
  MG: `${DIGITAL} BodyPartThickness CompressionForce OrganDose HalfValueLayer ImageLaterality ViewCodeSequence AnodeTargetMaterial`,
  IO: DIGITAL,
  PX: `${DIGITAL} TableType`,
  ECT: `${IMAGE} ${FRAMES} ${ORIENTED} ${RESCALE} CTExposureSequence CTDIvol KVP ConvolutionKernel ExposureTimeInms FrameAcquisitionDateTime StackID`,
  EMR: `${IMAGE} ${FRAMES} ${ORIENTED} RepetitionTime FlipAngle EffectiveEchoTime InversionTimes DiffusionBValue DiffusionGradientOrientation PulseSequenceName PurposeOfReferenceCodeSequence ${REFERENCE}`,
  EPT: `${IMAGE} ${FRAMES} ${ORIENTED} ${TRACER} DecayCorrectionDateTime`,
  MRS: `${FRAMES} ${SHARED} SpectroscopyData SpectralWidth TransmitterFrequency DataPointColumns VolumeLocalizationSequence MidSlabPosition`,
  SEG: `${IMAGE} ${FRAMES} ${ORIENTED} SegmentSequence SegmentNumber SegmentLabel SegmentedPropertyTypeCodeSequence RecommendedDisplayCIELabValue ReferencedSegmentNumber DerivationImageSequence ${CODE} ${REFERENCE} TrackingUID`,
  RTSTRUCT: `ROINumber ContourData ContourGeometricType NumberOfContourPoints ROIContourSequence ReferencedROINumber RTROIInterpretedType ROIPhysicalPropertyValue FrameOfReferenceUID ROIName ${REFERENCE}`,
  RTPLAN:
    "BeamSequence ControlPointSequence GantryAngle IsocenterPosition NominalBeamEnergy CumulativeMetersetWeight LeafJawPositions TargetPrescriptionDose BeamMeterset NumberOfFractionsPlanned DoseReferenceUID",
  RTDOSE: `ImagePositionPatient ImageOrientationPatient PixelSpacing FrameOfReferenceUID DoseGridScaling GridFrameOffsetVector DoseUnits DoseType DoseSummationType PixelData DVHData DVHMeanDose ${REFERENCE}`,
  REG: "RegistrationSequence MatrixSequence FrameOfReferenceTransformationMatrix FrameOfReferenceTransformationMatrixType FrameOfReferenceUID",
  RWV: `RealWorldValueSlope RealWorldValueIntercept RealWorldValueFirstValueMapped MeasurementUnitsCodeSequence LUTLabel ${CODE}`,
  SR: `${REPORT} MeasuredValueSequence NumericValue MeasurementUnitsCodeSequence GraphicData GraphicType ConceptCodeSequence TextValue DateTime TemplateIdentifier`,
  KO: REPORT,
  PR: `SoftcopyVOILUTSequence ${WINDOW} DisplayedAreaSelectionSequence GraphicAnnotationSequence GraphicObjectSequence GraphicData GraphicType ${REFERENCE}`,
  ECG: `WaveformSequence WaveformData SamplingFrequency NumberOfWaveformSamples ChannelSensitivity ChannelSourceSequence ChannelSensitivityUnitsSequence ${CODE} NumericValue`,
  PDF: "MIMETypeOfEncapsulatedDocument StudyInstanceUID SeriesInstanceUID",
};

/** Of all objects: whose, when, what. */
export const ALL_MUST_KEEP =
  "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID PatientID PatientSex PatientAge PatientWeight StudyDate StudyTime Modality StudyDescription SeriesDescription SeriesNumber InstanceNumber";
