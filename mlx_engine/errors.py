"""Every error that Facet's engine shows to a person.

    FacetError
    ├── ModelError             a model cannot be used
    │   ├── ModelNotFound      there is no such folder or name
    │   ├── BrokenModel        files are missing, cut short or contradict each other
    │   └── UnsupportedModel   whole, but of a kind that Facet does not run
    ├── RequestError           a request is refused before any work
    │   ├── InvalidParameter   a value outside its legal range
    │   ├── PromptTooLong      the prompt does not fit the context
    │   └── TemplateError      the model's chat template failed
    ├── EngineError            the engine failed while working
    │   └── OutOfMemory        the machine has not enough memory for it
    └── StorageError           a file or a database cannot be read or written

An error has a `title` (what happened, a few words) and a `message` (a sentence or two: what exactly, and what to
do next). Foreign errors are translated into these once, where they enter, with `from`.
"""


class FacetError(Exception):
    """The root: `title` says what happened, `message` what to do about it."""

    title = "Something went wrong"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelError(FacetError):
    title = "This model cannot be used"


class ModelNotFound(ModelError):
    title = "Model not found"


class BrokenModel(ModelError):
    title = "This model is damaged"


class UnsupportedModel(ModelError):
    title = "This model is not supported"


class RequestError(FacetError):
    title = "The request was refused"


class InvalidParameter(RequestError):
    title = "A setting is out of range"


class PromptTooLong(RequestError):
    title = "The conversation is too long"


class TemplateError(RequestError):
    title = "The chat template failed"


class EngineError(FacetError):
    title = "The engine failed"


class OutOfMemory(EngineError):
    title = "Not enough memory"


class StorageError(FacetError):
    title = "The data could not be read or written"
