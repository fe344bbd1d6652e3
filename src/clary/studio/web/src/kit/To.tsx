import Link, { type LinkProps } from "@cloudscape-design/components/link";
import type { ReactNode } from "react";
import { useHref, useNavigate } from "react-router-dom";

interface Props {
  /** A path below Studio, its names encoded. */
  path: string;
  children: ReactNode;
  variant?: LinkProps.Variant;
  fontSize?: LinkProps.FontSize;
  ariaLabel?: string;
}

/** A link to another page of Studio, followed without loading everything again. */
export function To({ path, children, variant, fontSize, ariaLabel }: Props) {
  const href = useHref(path);
  const navigate = useNavigate();
  return (
    <Link
      href={href}
      {...(variant ? { variant } : {})}
      {...(fontSize ? { fontSize } : {})}
      {...(ariaLabel ? { ariaLabel } : {})}
      onFollow={(event) => {
        event.preventDefault();
        navigate(path);
      }}
    >
      {children}
    </Link>
  );
}

/** A path below Studio of names: each encoded. */
export function below(...names: string[]): string {
  return `/${names.map(encodeURIComponent).join("/")}`;
}
