import type { PropertyFilterProps } from "@cloudscape-design/components/property-filter";

/** The words of the filter above a list. */
export const FILTER_TEXTS: PropertyFilterProps.I18nStrings = {
  clearAriaLabel: "Clear",
  clearFiltersText: "Clear",
  cancelActionText: "Cancel",
  applyActionText: "Apply",
  operationAndText: "and",
  operationOrText: "or",
  operatorText: "Operator",
  operatorsText: "Operators",
  operatorEqualsText: "Equals",
  operatorContainsText: "Contains",
  propertyText: "Property",
  valueText: "Value",
  groupPropertiesText: "Properties",
  groupValuesText: "Values",
  allPropertiesLabel: "Name",
  editTokenHeader: "Edit the filter",
  dismissAriaLabel: "Dismiss",
  removeTokenButtonAriaLabel: (token) => `Remove the filter ${token.propertyKey ?? "name"} ${String(token.value)}`,
  enteredTextLabel: (text) => `Use: ${text}`,
};
