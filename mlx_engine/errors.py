"""All errors that Facet's engine shows to users.

    FacetError
    ├── ModelError             a model cannot be used
    │   ├── ModelNotFound      there is no model with this name or folder
    │   ├── BrokenModel        files are missing, truncated or contradict each other
    │   └── UnsupportedModel   complete, but of a kind that Facet does not run
    ├── RequestError           a request is rejected before any work
    │   ├── InvalidParameter   a value is out of range
    │   ├── InvalidRecipe      a recipe is not valid, or not for this model
    │   ├── InvalidPlan        the plan of a study is not valid
    │   ├── BadCorpus          a text cannot be used for measurements
    │   ├── StudyNotFound      there is no study with this name
    │   ├── NotComparable      two models cannot be compared
    │   ├── NotPublishable     Facet does not publish this model
    │   ├── PromptTooLong      the prompt does not fit the context
    │   └── TemplateError      the model's chat template failed
    ├── EngineError            the engine failed while working
    │   └── OutOfMemory        there is not enough memory
    ├── StorageError           a file or a database cannot be read or written
    │   ├── AlreadyExists      another result has this name, or is being created with it
    │   ├── NoSpace            there is not enough disk space
    │   └── NotWritten         a file that the user requested cannot be written
    └── HubError               a request to the Hugging Face Hub failed
        ├── HubNotFound        there is no such repository, revision or file, or not for this user
        ├── NeedsToken         only for users who are signed in
        ├── NeedsConsent       the terms must be accepted first
        ├── WrongToken         the access token is not valid
        ├── ReadOnlyToken      the access token does not allow writing
        ├── NameTaken          another model on the Hub has this name
        ├── HubFull            the account's storage on the Hub is full
        ├── NoNetwork          the Hub cannot be reached
        │   └── Offline        the offline switch is on
        ├── HubBusy            the Hub asks to wait
        ├── WrongContent       downloaded data does not match its checksum
        └── UnsafeRepository   its files could do harm

An error has a `title` (a few words) and a `message` (a sentence or two: the details, and the next step). Errors of
libraries are translated into these once, at the border, with `from`.
"""


class FacetError(Exception):
    """The root of the tree."""

    title = "Something went wrong"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ModelError(FacetError):
    title = "This model can't be used"


class ModelNotFound(ModelError):
    title = "Model not found"


class BrokenModel(ModelError):
    title = "This model is damaged"


class UnsupportedModel(ModelError):
    title = "This model is not supported"


class RequestError(FacetError):
    title = "Couldn't complete the request"


class InvalidParameter(RequestError):
    title = "Setting out of range"


class InvalidRecipe(RequestError):
    title = "This recipe can't be used"


class InvalidPlan(RequestError):
    title = "This plan can't be used"


class BadCorpus(RequestError):
    title = "This text can't be used"


class StudyNotFound(RequestError):
    title = "Study not found"


class NotComparable(RequestError):
    title = "These models can't be compared"


class NotPublishable(RequestError):
    title = "This model can't be published"


class PromptTooLong(RequestError):
    title = "The conversation is too long"


class TemplateError(RequestError):
    title = "The chat template failed"


class EngineError(FacetError):
    title = "The engine failed"


class OutOfMemory(EngineError):
    title = "Not enough memory"


class StorageError(FacetError):
    title = "Couldn't read or write a file"


class AlreadyExists(StorageError):
    title = "This name is already in use"


class NoSpace(StorageError):
    title = "Not enough disk space"


class NotWritten(StorageError):
    title = "Couldn't save the file"


class HubError(FacetError):
    title = "Hugging Face Hub error"


class HubNotFound(HubError):
    title = "Not found on the Hugging Face Hub"


class NeedsToken(HubError):
    title = "Sign-in required"


class NeedsConsent(HubError):
    title = "Terms not accepted yet"


class WrongToken(HubError):
    title = "The access token is not valid"


class ReadOnlyToken(HubError):
    title = "No write access"


class NameTaken(HubError):
    title = "This name is already in use"


class HubFull(HubError):
    title = "Storage on the Hugging Face Hub is full"


class NoNetwork(HubError):
    title = "Couldn't reach the Hugging Face Hub"


class Offline(NoNetwork):
    title = "Facet is offline"


class HubBusy(HubError):
    """`retry_after_s` is the requested waiting time; 0 if the Hub doesn't state one."""

    title = "The Hugging Face Hub is busy"

    def __init__(self, message: str, retry_after_s: int = 0) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class WrongContent(HubError):
    title = "The download is damaged"


class UnsafeRepository(HubError):
    title = "This repository is not safe"
