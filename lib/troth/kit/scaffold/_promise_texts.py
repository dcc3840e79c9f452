"""The YAML of a new bundle: a Promise, its pipeline's container, and two requests."""

__all__ = ["MINIMAL", "PROMISE", "PYTHON", "REQUEST", "TEMPLATE"]

PROMISE = """\
# What a developer may ask for, and the stage that fulfils it. See README.md.
apiVersion: platform.kratix.io/v1alpha1
kind: Promise
metadata:
  name: %{name}
  labels:
    kratix.io/promise-version: v0.1.0
  annotations:
    # What the output may touch: the namespace of the request, and nothing else.
    troth.dev/fence: "{namespaces: [own]}"
spec:
  # No destinationSelectors: any Destination will do. Add some to choose clusters.
  api:
    apiVersion: apiextensions.k8s.io/v1
    kind: CustomResourceDefinition
    metadata:
      name: %{api}
    spec:
      group: %{group}
      scope: Namespaced
      names:
        kind: %{kind}
        listKind: %{list}
        plural: %{plural}
        singular: %{singular}
      versions:
        - name: v1alpha1
          served: true
          storage: true
          additionalPrinterColumns:
            - {name: Memory, type: string, jsonPath: .status.memory}
          schema:
            openAPIV3Schema:
              type: object
              required: [spec]
              properties:
                spec:
                  type: object
                  description: What a developer may ask for.
                  required: [owner]
                  properties:
                    owner:
                      type: string
                      description: The team that answers for it.
                      pattern: ^[a-z0-9]([-a-z0-9]*[a-z0-9])?$
                      minLength: 1
                      maxLength: 63
                    size:
                      type: string
                      description: How much memory it gets.
                      default: small
                      enum: [small, large]
  workflows:
    resource:
      configure:
        - apiVersion: platform.kratix.io/v1alpha1
          kind: Pipeline
          metadata:
            name: %{pipeline}
          spec:
            containers:
"""

PYTHON = """\
              - name: %{name}
                image: %{image}
                args: [%{name}]
"""

TEMPLATE = """\
              - name: template
                image: %{troth_image}
                args: [template]
                env:
                  - name: TEMPLATES
                    value: |
                      (let memory): "{{ '1Gi' if spec.size == 'large' else '256Mi' }}"

                      configmap.yaml:
                        - apiVersion: v1
                          kind: ConfigMap
                          metadata:
                            name: "{{ metadata.name }}"
                            namespace: "{{ metadata.namespace }}"
                            labels: {app.kubernetes.io/managed-by: troth}
                          data:
                            owner: "{{ spec.owner }}"
                            memory: "{{ memory }}"
                  - name: STATUS
                    value: |
                      memory: "{{ '1Gi' if spec.size == 'large' else '256Mi' }}"
"""

REQUEST = """\
apiVersion: %{api_version}
kind: %{kind}
metadata:
  name: %{example}
  namespace: default
spec:
  owner: team-a
  size: large
"""

MINIMAL = """\
# The least one can ask for.
apiVersion: %{api_version}
kind: %{kind}
metadata:
  name: %{minimal}
  namespace: default
spec:
  owner: team-a
"""
