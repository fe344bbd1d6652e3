import Box from "@cloudscape-design/components/box";
import Button from "@cloudscape-design/components/button";
import ExpandableSection from "@cloudscape-design/components/expandable-section";
import FormField from "@cloudscape-design/components/form-field";
import Input from "@cloudscape-design/components/input";
import Select from "@cloudscape-design/components/select";
import SpaceBetween from "@cloudscape-design/components/space-between";
import Textarea from "@cloudscape-design/components/textarea";

import type { Shape } from "../../api/model";
import { words } from "../Status";
import { join } from "./check";
import { plain } from "./documentation";

type Members = Record<string, unknown>;

interface StructureProps {
  shape: Shape;
  value: Members;
  onChange: (value: Members) => void;
  /** What is wrong, by the path of the member. */
  problems: Record<string, string>;
  path: string;
  only?: "required" | "optional";
}

/** A field for each member of a structure; nested ones are filled in where somebody opens them. */
export function StructureFields({ shape, value, onChange, problems, path, only }: StructureProps) {
  const required = new Set(shape.required ?? []);
  const members = Object.entries(shape.members ?? {}).filter(
    ([name]) => !only || (only === "required") === required.has(name),
  );
  const ordered = [...members.filter(([name]) => required.has(name)), ...members.filter(([name]) => !required.has(name))];
  return (
    <SpaceBetween size="m">
      {ordered.map(([name, inner]) => (
        <Field
          key={name}
          name={name}
          shape={inner}
          required={required.has(name)}
          value={value[name]}
          onChange={(next) => onChange({ ...value, [name]: next })}
          problems={problems}
          path={join(path, name)}
        />
      ))}
    </SpaceBetween>
  );
}

interface FieldProps {
  name: string;
  shape: Shape;
  required: boolean;
  value: unknown;
  onChange: (value: unknown) => void;
  problems: Record<string, string>;
  path: string;
}

function Field(props: FieldProps) {
  const { name, shape, required, problems, path } = props;
  const label = (
    <>
      {words(name)} {!required && <i>- optional</i>}
    </>
  );
  if (shape.type === "structure" || shape.type === "list" || shape.type === "map") {
    const inside = Object.keys(problems).some((each) => each === path || each.startsWith(`${path}.`));
    return (
      <ExpandableSection
        headerText={words(name) + (required ? "" : " - optional")}
        headerDescription={plain(shape.documentation, 160)}
        defaultExpanded={required || props.value !== undefined}
        {...(inside ? { expanded: true } : {})}
        variant="footer"
      >
        <Box padding={{ left: "l", top: "xs" }}>
          {problems[path] && (
            <Box color="text-status-error" padding={{ bottom: "xs" }}>
              {problems[path]}
            </Box>
          )}
          <Nested {...props} />
        </Box>
      </ExpandableSection>
    );
  }
  return (
    <FormField
      label={label}
      description={plain(shape.documentation, 220)}
      constraintText={constraint(shape)}
      errorText={problems[path]}
      stretch
    >
      <Scalar {...props} />
    </FormField>
  );
}

function Nested({ shape, value, onChange, problems, path }: FieldProps) {
  if (shape.type === "structure") {
    if (!shape.members || Object.keys(shape.members).length === 0) {
      return <Button onClick={() => onChange(value === undefined ? {} : undefined)}>{value === undefined ? "Add" : "Remove"}</Button>;
    }
    return <StructureFields shape={shape} value={(value ?? {}) as Members} onChange={onChange} problems={problems} path={path} />;
  }
  if (shape.type === "list") {
    const items = (value ?? []) as unknown[];
    const inner = shape.member;
    if (!inner) return null;
    const set = (index: number, next: unknown) => onChange(items.map((item, at) => (at === index ? next : item)));
    return (
      <SpaceBetween size="s">
        {items.map((item, index) => (
          <SpaceBetween key={index} direction="vertical" size="xxs">
            <Field
              name={`${inner.name} ${index + 1}`}
              shape={inner}
              required
              value={item}
              onChange={(next) => set(index, next)}
              problems={problems}
              path={join(path, String(index))}
            />
            <Button iconName="remove" onClick={() => onChange(items.filter((_, at) => at !== index))}>
              Remove
            </Button>
          </SpaceBetween>
        ))}
        <Button iconName="add-plus" onClick={() => onChange([...items, empty(inner)])}>
          Add
        </Button>
      </SpaceBetween>
    );
  }
  const entries = Object.entries((value ?? {}) as Members);
  const inner = shape.value;
  if (!inner) return null;
  const put = (changed: [string, unknown][]) => onChange(Object.fromEntries(changed));
  return (
    <SpaceBetween size="s">
      {entries.map(([key, item], index) => (
        <SpaceBetween key={index} direction="horizontal" size="xs">
          <Input
            value={key}
            onChange={({ detail }) => put(entries.map((entry, at) => (at === index ? [detail.value, item] : entry)))}
            placeholder="Key"
            ariaLabel={`Key ${index + 1}`}
          />
          <Scalar
            name={`Value ${index + 1}`}
            shape={inner}
            required
            value={item}
            onChange={(next) => put(entries.map((entry, at) => (at === index ? [key, next] : entry)))}
            problems={problems}
            path={join(path, key)}
          />
          <Button iconName="remove" ariaLabel={`Remove ${key || "the entry"}`} onClick={() => put(entries.filter((_, at) => at !== index))} />
        </SpaceBetween>
      ))}
      <Button iconName="add-plus" onClick={() => put([...entries, ["", empty(inner)]])}>
        Add
      </Button>
    </SpaceBetween>
  );
}

function Scalar({ name, shape, value, onChange }: FieldProps) {
  if (shape.type === "boolean") {
    const options = [
      { value: "", label: "Not set" },
      { value: "true", label: "Yes" },
      { value: "false", label: "No" },
    ];
    const chosen = value === undefined ? "" : String(value);
    return (
      <Select
        selectedOption={options.find((option) => option.value === chosen) ?? null}
        options={options}
        onChange={({ detail }) => onChange(detail.selectedOption.value ? detail.selectedOption.value === "true" : undefined)}
        ariaLabel={words(name)}
      />
    );
  }
  if (shape.enum) {
    const options = [{ value: "", label: "Not set" }, ...shape.enum.map((each) => ({ value: each, label: each }))];
    return (
      <Select
        selectedOption={options.find((option) => option.value === (value ?? "")) ?? null}
        options={options}
        onChange={({ detail }) => onChange(detail.selectedOption.value || undefined)}
        filteringType={shape.enum.length > 8 ? "auto" : "none"}
        virtualScroll={shape.enum.length > 100}
        ariaLabel={words(name)}
      />
    );
  }
  const numeric = ["integer", "long", "float", "double"].includes(shape.type);
  if (!numeric && shape.type === "string" && (shape.max ?? 0) > 1000 && !/arn|uri|url|image|path|(key|id|name)$/i.test(name)) {
    return <Textarea value={String(value ?? "")} onChange={({ detail }) => onChange(detail.value)} rows={4} ariaLabel={words(name)} />;
  }
  return (
    <Input
      value={String(value ?? "")}
      type={numeric ? "number" : shape.sensitive ? "password" : "text"}
      onChange={({ detail }) => onChange(numeric ? (detail.value === "" ? undefined : Number(detail.value)) : detail.value)}
      ariaLabel={words(name)}
      placeholder={shape.type === "timestamp" ? "2026-01-31T12:00:00Z" : undefined}
    />
  );
}

/** What a new item of a list or a map begins with. */
function empty(shape: Shape): unknown {
  if (shape.type === "structure" || shape.type === "map") return {};
  return shape.type === "list" ? [] : "";
}

function constraint(shape: Shape): string | undefined {
  const parts: string[] = [];
  if (shape.type === "string" && shape.max && shape.max < 5000 && !shape.enum) parts.push(`At most ${shape.max} characters`);
  if (["integer", "long", "float", "double"].includes(shape.type)) {
    if (shape.min !== undefined) parts.push(`at least ${shape.min}`);
    if (shape.max !== undefined) parts.push(`at most ${shape.max}`);
  }
  return parts.length ? parts.join(", ").replace(/^./, (first) => first.toUpperCase()) : undefined;
}
