"""Every error that Facet's engine shows to a person.

    FacetError
    ├── ModelError             a model cannot be used
    │   ├── ModelNotFound      there is no such folder or name
    │   ├── BrokenModel        files are missing, cut short or contradict each other
    │   └── UnsupportedModel   whole, but of a kind that Facet does not run
    ├── RequestError           a request is refused before any work
    │   ├── InvalidParameter   a value outside its legal range
    │   ├── InvalidRecipe      a way to quantize that cannot be
    │   ├── InvalidPlan        a study that cannot be made
    │   ├── BadCorpus          a text that nothing can be measured on
    │   ├── NotComparable      two models that cannot be held against each other
    │   ├── NotPublishable     a model that Facet does not put on the Hub
    │   ├── PromptTooLong      the prompt does not fit the context
    │   └── TemplateError      the model's chat template failed
    ├── EngineError            the engine failed while working
    │   └── OutOfMemory        the machine has not enough memory for it
    ├── StorageError           a file or a database cannot be read or written
    │   ├── NoSpace            the disk has no room for it
    │   └── NotWritten         a file that a person wanted cannot be written there
    └── HubError               the Hugging Face Hub did not give what was asked for
        ├── HubNotFound        there is no such repository, revision or file, or not for this person
        ├── NeedsToken         it is only for people who are signed in
        ├── NeedsConsent       its conditions must be accepted first
        ├── WrongToken         the access token is not valid
        ├── ReadOnlyToken      the access token does not allow writing there
        ├── NameTaken          another model has that name on the Hub
        ├── HubFull            the Hub takes no more of this
        ├── NoNetwork          the Hub cannot be reached
        │   └── Offline        the offline switch is on
        ├── HubBusy            the Hub asks to wait
        ├── WrongContent       what came is not what the Hub had promised
        └── UnsafeRepository   its files could do harm

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


class InvalidRecipe(RequestError):
    title = "This recipe is not possible"


class InvalidPlan(RequestError):
    title = "This plan cannot be used"


class BadCorpus(RequestError):
    title = "This text cannot be used"


class NotComparable(RequestError):
    title = "These models cannot be compared"


class NotPublishable(RequestError):
    title = "This cannot be published"


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


class NoSpace(StorageError):
    title = "Not enough space on the disk"


class NotWritten(StorageError):
    title = "The file was not written"


class HubError(FacetError):
    title = "The Hugging Face Hub failed"


class HubNotFound(HubError):
    title = "Not found on the Hugging Face Hub"


class NeedsToken(HubError):
    title = "Signing in is needed"


class NeedsConsent(HubError):
    title = "The conditions must be accepted"


class WrongToken(HubError):
    title = "The access token is not valid"


class ReadOnlyToken(HubError):
    title = "Writing there is not allowed"


class NameTaken(HubError):
    title = "The name is taken"


class HubFull(HubError):
    title = "The Hugging Face Hub takes no more"


class NoNetwork(HubError):
    title = "The Hugging Face Hub cannot be reached"


class Offline(NoNetwork):
    title = "Facet is offline"


class HubBusy(HubError):
    """`retry_after_s` is how long the Hub asks to wait; 0 if it does not say."""

    title = "The Hugging Face Hub asks to wait"

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class WrongContent(HubError):
    title = "The download is damaged"


class UnsafeRepository(HubError):
    title = "This repository is not safe"
