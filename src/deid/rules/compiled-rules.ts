export interface CompiledRules {
  readonly rowCount: number;
}
