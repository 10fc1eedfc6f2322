/** Sequences of presentation states that say how to show an image, not what somebody wrote on it. PS3.3 C.10, C.11.8. */
export const PRESENTATION_SEQUENCES: readonly number[] = [
  0x00283110, // Softcopy VOI LUT
  0x0070005a, // Displayed Area Selection
  0x00700060, // Graphic Layer
  0x20500010, // Presentation LUT
];

/** Within an annotation: lines and curves. The text beside them, Text Object Sequence (0070,0008), is in no list. PS3.3 C.10.5. */
export const GRAPHIC_OBJECT_SEQUENCE = 0x00700009;

/** Sequences of waveforms: channels, their sources and units. PS3.3 C.10.9. */
export const WAVEFORM_SEQUENCES: readonly number[] = [
  0x003a0200, // Channel Definition
  0x003a0208, // Channel Source
  0x003a0209, // Channel Source Modifiers
  0x003a0211, // Channel Sensitivity Units
  0x003a0240, // Waveform Presentation Group
  0x003a0242, // Channel Display
  0x54000100, // Waveform
];
